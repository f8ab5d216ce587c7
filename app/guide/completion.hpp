#pragma once

#include "sshexec/app/guide/known_names.hpp"

#include <CLI/App.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sshexec::app {

/// What the last word of a command line may become, for a shell.
struct completion {
  enum class kind : std::uint8_t { words, files, directories };

  struct candidate {
    std::string word;
    /// For people; may be empty.
    std::string about;
  };

  kind of = kind::words;
  /// Whole words that begin as the last one does.
  std::vector<candidate> candidates;
  /// Of files and directories: what of the last word is their path, as in "--inventory=ho".
  std::string path;
};

using name_finder = std::function<known_names(const named_files&)>;

/// By the words behind the program's name. The last one is the one that is being typed, as far as
/// it is there.
completion complete(CLI::App& tool, const std::vector<std::string>& words,
                    const name_finder& find_names = find_known_names);

/// A line for each candidate: the word, and behind a tab what it is about; or ":files" or
/// ":directories", and the path behind a tab.
std::string to_text(const completion& x);

} // namespace sshexec::app
