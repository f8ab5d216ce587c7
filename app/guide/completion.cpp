#include "sshexec/app/guide/completion.hpp"

#include "sshexec/app/command_line.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <string_view>
#include <utility>

namespace sshexec::app {

namespace {

/// What the words before the last one say.
struct typed_so_far {
  CLI::App* command = nullptr;
  /// The option whose value is the next word.
  CLI::Option* open = nullptr;
  /// Behind "--", where the remote command stands.
  bool is_command = false;
  /// By the option's longest name.
  std::map<std::string, std::string> values;
};

/// Those that help tells.
std::vector<CLI::App*> commands_of(CLI::App& tool) {
  return tool.get_subcommands([](const CLI::App* x) { return !x->get_group().empty(); });
}

CLI::App* command_named(const std::string& name, CLI::App& tool) {
  const auto all = commands_of(tool);
  const auto i = std::find_if(all.begin(), all.end(),
                              [&name](const CLI::App* x) { return x->get_name() == name; });
  return i == all.end() ? nullptr : *i;
}

/// A long option, which may have its value behind "=".
void take_long(typed_so_far& typed, const std::string& word) {
  const auto sign = word.find('=');
  const std::string name = word.substr(0, sign);
  CLI::Option* option = typed.command->get_option_no_throw(name);
  if (option == nullptr || !takes_value(*option))
    return;
  if (sign == std::string::npos)
    typed.open = option;
  else
    typed.values[option->get_name()] = word.substr(sign + 1);
}

/// Short options: flags, and perhaps one with a value, which may stand at once behind it.
void take_short(typed_so_far& typed, const std::string& word) {
  for (std::size_t i = 1; i < word.size(); ++i) {
    CLI::Option* option = typed.command->get_option_no_throw(std::string{'-'} + word[i]);
    if (option == nullptr)
      return;
    if (!takes_value(*option))
      continue;
    if (i + 1 == word.size())
      typed.open = option;
    else
      typed.values[option->get_name()] = word.substr(i + 1);
    return;
  }
}

void take(typed_so_far& typed, const std::string& word) {
  if (typed.open != nullptr)
    typed.values[std::exchange(typed.open, nullptr)->get_name()] = word;
  else if (word == "--")
    typed.is_command = true;
  else if (word.starts_with("--"))
    take_long(typed, word);
  else if (word.starts_with('-'))
    take_short(typed, word);
  else if (CLI::App* command = command_named(word, *typed.command))
    typed.command = command;
}

/// One line of what an option is for.
std::string summary(const std::string& description) {
  std::string result = description;
  std::replace(result.begin(), result.end(), '\n', ' ');
  return result;
}

/// Of a node set: behind its last operator, which is none inside brackets.
std::size_t begin_of_last_name(std::string_view set) {
  std::size_t begin = 0;
  bool is_range = false;
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (set[i] == '[' || set[i] == ']')
      is_range = set[i] == '[';
    else if (!is_range && std::string_view{",!&^ "}.find(set[i]) != std::string_view::npos)
      begin = i + 1;
  }
  return begin;
}

/// A terminal might obey them.
bool has_controls(const std::string& word) {
  return std::any_of(word.begin(), word.end(),
                     [](unsigned char x) { return std::iscntrl(x) != 0; });
}

class completer {
public:
  completer(typed_so_far typed, const std::string& word, const name_finder& find_names)
    : typed_(std::move(typed)), word_(word), find_names_(find_names) {}

  completion make() {
    if (typed_.open != nullptr)
      add_values(*typed_.open, "");
    else if (typed_.is_command)
      return {};
    else if (const auto sign = word_.find('=');
             word_.starts_with("--") && sign != std::string::npos)
      add_values_of(word_.substr(0, sign));
    else if (word_.starts_with('-'))
      add_options();
    else if (!commands_of(*typed_.command).empty())
      add_commands();
    else
      add_arguments();
    return std::move(result_);
  }

private:
  void add(std::string word, std::string about) {
    if (word.starts_with(word_) && !has_controls(word))
      result_.candidates.push_back({std::move(word), std::move(about)});
  }

  void add_commands() {
    for (const CLI::App* command : commands_of(*typed_.command))
      add(command->get_name(), command->get_description());
  }

  void add_options() {
    for (const CLI::Option* option : typed_.command->get_options()) {
      const std::string about = summary(option->get_description());
      for (const std::string& name : option->get_lnames())
        add("--" + name, about);
      for (const std::string& name : option->get_snames())
        add('-' + name, about);
    }
  }

  void add_values_of(const std::string& name) {
    CLI::Option* option = typed_.command->get_option_no_throw(name);
    if (option != nullptr && takes_value(*option))
      add_values(*option, name + '=');
  }

  /// Positional ones.
  void add_arguments() {
    for (CLI::Option* option : typed_.command->get_options())
      if (option->get_positional())
        return add_values(*option, "");
  }

  /// The words that an option takes, behind what of the last word is not its value.
  void add_values(CLI::Option& option, const std::string& before) {
    const std::string type = option.get_type_name();
    const std::string value = word_.substr(before.size());
    if (type == "FILE" || type == "DIRECTORY") {
      result_.of = type == "FILE" ? completion::kind::files : completion::kind::directories;
      result_.path = value;
    } else if (type == "SET" || option.get_name() == "target") {
      add_machines(before, value);
    } else if (type == "GROUP") {
      for (const std::string& group : find_names_(files()).groups)
        add(before + group, "group");
    } else {
      for (const std::string& word : choices_of(option))
        add(before + word, "");
    }
  }

  void add_machines(std::string before, std::string_view set) {
    const auto begin = begin_of_last_name(set);
    const std::string_view name = set.substr(begin);
    before += set.substr(0, begin);
    const auto names = find_names_(files());
    // Behind "user@" is a machine.
    const auto sign = name.rfind('@');
    const bool has_user = sign != std::string_view::npos && sign > 0;
    if (has_user)
      before += name.substr(0, sign + 1);
    else
      for (const std::string& group : names.groups)
        add(before + '@' + group, "group");
    for (const std::string& machine : names.machines)
      add(before + machine, "");
  }

  [[nodiscard]] named_files files() const {
    const auto value = [this](const std::string& name) {
      const auto i = typed_.values.find(name);
      return i == typed_.values.end() ? std::nullopt : std::optional{i->second};
    };
    return {value("--config"), value("--inventory"), value("--known-hosts")};
  }

  typed_so_far typed_;
  const std::string& word_;
  const name_finder& find_names_;
  completion result_;
};

} // namespace

completion complete(CLI::App& tool, const std::vector<std::string>& words,
                    const name_finder& find_names) {
  if (words.empty())
    return {};
  typed_so_far typed;
  typed.command = &tool;
  std::for_each(words.begin(), words.end() - 1, [&](const std::string& x) { take(typed, x); });
  return completer{std::move(typed), words.back(), find_names}.make();
}

std::string to_text(const completion& x) {
  if (x.of != completion::kind::words)
    return (x.of == completion::kind::files ? ":files\t" : ":directories\t") + x.path + '\n';
  std::string lines;
  for (const auto& [word, about] : x.candidates)
    lines += about.empty() ? word + '\n' : word + '\t' + about + '\n';
  return lines;
}

} // namespace sshexec::app
