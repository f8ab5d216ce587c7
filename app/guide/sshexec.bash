# Completion of sshexec for bash. The program knows what a line may become (sshexec complete).

_sshexec() {
  local words kind lines line head path
  # By blanks alone: COMP_WORDS are split at signs that names of machines have, too.
  read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
  [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
  # A quote that is open is bash's own matter.
  local word=${words[-1]#[\'\"]}
  words[-1]=$word

  COMPREPLY=()
  mapfile -t lines < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
  case ${lines[0]-} in
    :files$'\t'* | :directories$'\t'*)
      compopt -o filenames
      kind=-f
      [[ ${lines[0]} == :directories* ]] && kind=-d
      path=${lines[0]#*$'\t'}
      head=${word%"$path"}
      mapfile -t COMPREPLY < <(compgen "$kind" -P "$head" -- "$path")
      ;;
    *)
      for line in "${lines[@]}"; do
        COMPREPLY+=("${line%%$'\t'*}")
      done
      ;;
  esac

  # What bash is about to replace is its second argument, which may be no more than the word's end.
  [[ $word != *"$2" ]] || COMPREPLY=("${COMPREPLY[@]#"${word%"$2"}"}")
}

complete -F _sshexec sshexec
