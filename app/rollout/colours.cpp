#include "sshexec/app/rollout/colours.hpp"

#include <array>
#include <string_view>

namespace sshexec::app {

bool wants_colours(colour_choice choice, bool is_terminal, const char* no_color, const char* term) {
  if (choice != colour_choice::automatic)
    return choice == colour_choice::always;
  const bool refused = no_color != nullptr && *no_color != '\0';
  const bool is_dumb = term != nullptr && std::string_view{term} == "dumb";
  return is_terminal && !refused && !is_dumb;
}

std::string label_of(const std::string& name, std::size_t index, bool coloured) {
  // Green, yellow, blue, magenta, cyan (ECMA-48 §8.3.117): red is for what went wrong.
  constexpr std::array palette{"\x1b[32m", "\x1b[33m", "\x1b[34m", "\x1b[35m", "\x1b[36m"};
  if (!coloured)
    return name + ": ";
  return palette.at(index % palette.size()) + name + "\x1b[0m: ";
}

} // namespace sshexec::app
