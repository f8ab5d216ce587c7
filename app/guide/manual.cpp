#include "sshexec/app/guide/manual.hpp"

#include "sshexec/app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <sstream>
#include <string_view>
#include <vector>

namespace sshexec::app {

namespace {

/// One character of UTF-8 by its number, as roff wants it: "\[u2026]". The text is the tool's own.
std::string by_number(std::string_view bytes) {
  std::uint32_t number = static_cast<unsigned char>(bytes.front()) & (0x7FU >> bytes.size());
  for (const char x : bytes.substr(1))
    number = (number << 6U) | (static_cast<unsigned char>(x) & 0x3FU);
  return fmt::format("\\[u{:04X}]", number);
}

/// A text in which no character means anything to roff, or becomes another one.
std::string literal(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t place = std::string_view{"\\-'`^~"}.find(text[i]);
    if (place != std::string_view::npos) {
      constexpr const char* names[] = {"\\e", "\\-", "\\(aq", "\\(ga", "\\(ha", "\\(ti"};
      result += names[place];
    } else if ((static_cast<unsigned char>(text[i]) & 0x80U) != 0) {
      std::size_t size = 1;
      while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xC0U) == 0x80)
        ++size;
      result += by_number(text.substr(i, size));
      i += size - 1;
    } else {
      result += text[i];
    }
  }
  // At a line's begin these would be requests.
  return result.starts_with('.') ? "\\&" + result : result;
}

std::string in_capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char x) { return static_cast<char>(std::toupper(x)); });
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    result.push_back(line);
  return result;
}

std::string paragraph(const std::string& text) {
  std::string result;
  for (const std::string& line : lines_of(text))
    result += literal(line) + '\n';
  return result;
}

/// The text behind the options: lines with a colon at their end are headings, and those that stand
/// apart from the margin are printed as they are.
std::string sections(const std::string& text) {
  std::string result;
  bool is_example = false;
  for (const std::string& line : lines_of(text)) {
    const bool is_inside = line.starts_with(' ');
    if (is_inside != is_example)
      result += is_inside ? ".nf\n" : ".fi\n";
    is_example = is_inside;
    if (line.empty())
      result += ".PP\n";
    else if (!is_example && line.ends_with(':'))
      result += ".SS " + literal(line.substr(0, line.size() - 1)) + '\n';
    else
      result += literal(line) + '\n';
  }
  return result + (is_example ? ".fi\n" : "");
}

/// "-l, --user NAME".
std::string heading_of(const CLI::Option& option) {
  std::string names;
  const auto add = [&names](const std::string& name) {
    names += (names.empty() ? "\\fB" : ", \\fB") + literal(name) + "\\fR";
  };
  for (const std::string& name : option.get_snames())
    add('-' + name);
  for (const std::string& name : option.get_lnames())
    add("--" + name);
  if (option.get_positional())
    add(in_capitals(option.get_name()));
  else if (takes_value(option))
    names += " \\fI" + literal(option.get_type_name()) + "\\fR";
  return names;
}

std::string options_of(const CLI::App& command) {
  std::string result;
  for (const std::string& group : command.get_groups()) {
    const auto members
      = command.get_options([&group](const CLI::Option* x) { return x->get_group() == group; });
    if (members.empty())
      continue;
    result += ".SS " + literal(group) + '\n';
    for (const CLI::Option* option : members)
      result += ".TP\n" + heading_of(*option) + '\n' + paragraph(option->get_description());
  }
  return result;
}

/// The line of its help that says how it is called.
std::string usage_of(const CLI::App& command, const std::string& tool) {
  const std::string label = "Usage: ";
  for (const std::string& line : lines_of(command.help(tool)))
    if (line.starts_with(label))
      return literal(line.substr(label.size()));
  return {};
}

/// As the line of whatis(1) has it: no sentence.
std::string in_a_line(std::string text) {
  text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  return text.substr(0, text.find_last_not_of('.') + 1);
}

std::vector<const CLI::App*> commands_of(const CLI::App& tool) {
  return tool.get_subcommands([](const CLI::App* x) { return !x->get_group().empty(); });
}

} // namespace

std::string manual_page(const CLI::App& tool) {
  const std::string name = tool.get_name();
  std::string page = fmt::format(".TH {} 1 \"\" \"{} {}\" \"User Commands\"\n.nh\n.ad l\n",
                                 in_capitals(name), name, tool.version());
  page += ".SH NAME\n" + name + " \\- " + literal(in_a_line(tool.get_description()))
          + "\n.SH SYNOPSIS\n";
  for (const CLI::App* command : commands_of(tool))
    page += usage_of(*command, name) + "\n.br\n";
  page += ".SH DESCRIPTION\n" + paragraph(tool.get_description()) + options_of(tool);
  for (const CLI::App* command : commands_of(tool))
    page += ".SH " + in_capitals(name + ' ' + command->get_name()) + '\n'
            + paragraph(command->get_description() + '.') + options_of(*command)
            + sections(command->get_footer());
  return page + ".SH FILES AND ENVIRONMENT\n" + sections(tool.get_footer());
}

} // namespace sshexec::app
