# Completion of sshexec for fish. The program knows what a line may become (sshexec complete).

function __sshexec_complete
    set -l words (commandline -opc)
    # A quote that is open is fish's own matter.
    set -l word (commandline -ct | string replace -r '^[\'"]' '')
    set -l lines ($words[1] complete -- $words[2..-1] "$word" 2>/dev/null)
    set -l option (string match -r -- '^--[^=]+=' "$word")
    set -l path (string replace -- "$option" '' "$word")
    switch "$lines[1]"
        case ':files*'
            printf '%s\n' "$option"(__fish_complete_path "$path")
        case ':directories*'
            printf '%s\n' "$option"(__fish_complete_directories "$path" '')
        case '*'
            printf '%s\n' $lines
    end
end

complete -c sshexec -f -a '(__sshexec_complete)'
