#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Node sets: names of machines as ClusterShell and pdsh write them. All of it may be called from
/// any thread; nothing here waits but `node_set_file`.
///
///     web-[01-20,30]          web-01 … web-20, web-30: digits keep their width
///     dc[1-2]n[0-100/5]       several brackets; every fifth number
///     user@web-[1-3]:2222     what stands around a bracket stays
///     10.0.[0-3].[1-254]      addresses
///     [2001:db8::1]:22        an IPv6 address
///     @web @rack[1-3] @*      groups; all machines that groups know
///     ^hosts.txt              the lines of a file, each a node set; '#' begins a comment
///     a,b a!b a&b a^b         union, difference, intersection, symmetric difference
///
/// Operators are applied from left to right, none before another, as ClusterShell does. A blank
/// between two names is a union.
namespace sshexec {

/// The node set that a group stands for, which may name other groups; "*" asks for all machines.
/// Nothing: there is no such group.
using group_lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// The text of a file; the error is a sentence.
using file_lookup = std::function<tl::expected<std::string, std::string>(const std::string& path)>;

/// Reads a regular file, a pipe or a device of at most 16 MiB; blocks on it.
tl::expected<std::string, std::string> node_set_file(const std::string& path);

/// Where `@group` and `^file` lead. What is empty knows no groups, and reads no files.
struct node_set_sources {
  group_lookup group;
  file_lookup file;
};

struct node_set_limits {
  /// Of the result, of each operand, and of what is held in between.
  std::size_t max_names = 100'000;
};

/// The names in a node set, in the order in which they are first named, each once. An empty text
/// has none. Takes time and memory in proportion to the text and the names. The error is a sentence
/// that points at the character; too many names fail before any is made.
tl::expected<std::vector<std::string>, std::string>
expand_node_set(std::string_view text, const node_set_sources& sources = {},
                node_set_limits limits = {});

/// The names of several node sets, each read on its own: "a" and "b!a" are "a" and "b".
tl::expected<std::vector<std::string>, std::string>
expand_node_sets(const std::vector<std::string>& texts, const node_set_sources& sources = {},
                 node_set_limits limits = {});

/// The names without those that are excluded, in order.
std::vector<std::string> exclude_names(std::vector<std::string> included,
                                       const std::vector<std::string>& excluded);

/// A short node set of these names for people's eyes: "web-[1-3],db-1". Folds the one number in
/// which names differ; where several do, the last one. Each name is in it once, repeated or not.
/// Takes the time to sort the names at most, however irregular they are.
std::string fold_names(const std::vector<std::string>& names);

} // namespace sshexec
