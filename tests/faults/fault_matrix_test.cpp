#include "fault_cell.hpp"
#include "process_resources.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <future>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace sshexec;
using namespace sshexec::test;

namespace {

/// Most cells wait for a time to pass; so many are played side by side.
#ifdef __SANITIZE_THREAD__
// A cell costs it ten times as much, and its threads do the same in many cells.
constexpr std::size_t players = 12;
constexpr std::size_t stride = 5;
#elif defined(__SANITIZE_ADDRESS__)
// Who meets a silence is patient there, four times.
constexpr std::size_t players = 24;
constexpr std::size_t stride = 3;
#else
constexpr std::size_t players = 24;
constexpr std::size_t stride = 1;
#endif

std::vector<fault_cell> cells_to_play() {
  const auto all = all_fault_cells();
  std::vector<fault_cell> result;
  for (std::size_t i = 0; i < all.size(); i += stride)
    result.push_back(all[i]);
  return result;
}

std::vector<cell_outcome> play_all(const std::vector<fault_cell>& cells) {
  std::vector<cell_outcome> outcomes(cells.size());
  std::atomic<std::size_t> next = 0;
  const auto play_some = [&] {
    for (std::size_t i = next++; i < cells.size(); i = next++)
      outcomes[i] = play(cells[i]);
  };
  std::vector<std::future<void>> running;
  for (std::size_t i = 0; i < players; ++i)
    running.push_back(std::async(std::launch::async, play_some));
  for (auto& player : running)
    player.get();
  return outcomes;
}

std::string describe(const answer& x) {
  if (x.succeeded())
    return "result in attempt " + std::to_string(x->attempts);
  return to_failure(x.outcome.error()).message + " [" + to_string(x.what().progress) + ']';
}

bool meets(const answer& x, const expectation& wanted) {
  if (wanted.code == error_code::none)
    return x.succeeded() && x->attempts == wanted.attempts && x->output.stdout_data == "all";
  const failure what = x.what();
  return x.failed_with(wanted.code) && what.fault == wanted.fault
         && what.progress == wanted.progress && what.attempts == wanted.attempts
         && what.message.find(what.machine) == 0;
}

/// Where many meet a fault together, some are lucky: they meet it later, or not at all, and some
/// are hit by the fault of a neighbour, once as on a pooled connection that is dead. An overtaking
/// reset may come first as well.
bool meets_among_many(const answer& x, const fault_cell& cell) {
  const expectation alone = expected(cell);
  if (meets(x, alone))
    return true;
  const bool hit_by_neighbour = cell.how_often == persistence::always && cell.where == place::close;
  if (x.succeeded())
    return x->output.stdout_data == "all" && x->attempts <= (hit_by_neighbour ? 5 : 2)
           && (hit_by_neighbour || cell.how_often == persistence::once);
  return x.failed_with(alone.code) || hit_by_neighbour;
}

void check(const fault_cell& cell, const cell_outcome& outcome) {
  BOOST_TEST_CONTEXT(to_string(cell)) {
    for (const answer& x : outcome.answers) {
      const bool certain = cell.commands == 1 && !overtakes(cell) && !is_in_the_pool(cell.where);
      const bool met = certain ? meets(x, expected(cell)) : meets_among_many(x, cell);
      BOOST_TEST(met, describe(x));
    }
    BOOST_TEST(outcome.afterwards.succeeded(), describe(outcome.afterwards));
    BOOST_TEST(outcome.journal_lines == outcome.requests);
  }
}

/// What a single caller was told, for people.
std::string to_cell_text(const fault_cell& cell, const answer& x) {
  if (overtakes(cell))
    return "as for end (FIN), or, when the reset overtakes what was sent before it, as at output";
  if (is_in_the_pool(cell.where))
    return "result; in attempt 2 if the command was sent before the end was known";
  if (x.succeeded())
    return x->attempts == 1 ? "result" : "result, attempt " + std::to_string(x->attempts);
  const failure what = x.what();
  std::string result = to_string(static_cast<error_code>(x.outcome.error().code()));
  if (what.fault != connection_fault::none)
    result += " (" + to_string(what.fault) + ')';
  return result + ", attempts: " + std::to_string(what.attempts) + ", " + to_string(what.progress);
}

std::string to_table(const std::vector<fault_cell>& cells,
                     const std::vector<cell_outcome>& outcomes) {
  std::ostringstream table;
  table << "| where | what | how often | what one caller is told |\n|---|---|---|---|\n";
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const fault_cell& cell = cells[i];
    if (cell.commands == 1)
      table << "| " << to_string(cell.where) << " | " << to_string(cell.what) << " | "
            << (cell.how_often == persistence::once ? "once" : "always") << " | "
            << to_cell_text(cell, outcomes[i].answers.front()) << " |\n";
  }
  return table.str();
}

std::string heading(std::size_t cells) {
  return "# The fault matrix\n\n"
         "Each line was observed by `tests/faults/fault_matrix_test.cpp`, which also plays it with "
         "twenty commands\nthat wait together: "
         + std::to_string(cells)
         + " cells, each with servers and an executor of its own. In every cell each\nrequest was "
           "answered and written to the journal once, the next command worked, and no actor was "
           "left;\nafter all of them the process held as many descriptors and threads as before. "
           "The test fails when this\npage is out of date.\n\n";
}

std::string content_of(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream result;
  result << file.rdbuf();
  return result.str();
}

} // namespace

/// SSHEXEC_WRITE_FAULT_TABLE=1 writes the table in docs/ anew.
BOOST_AUTO_TEST_CASE(every_fault_at_every_place_is_survived_and_told) {
  // What libraries keep for the life of a process is there after the first cell.
  play({place::close, fault::end, persistence::once, 1});
  const process_resources before;
  const auto cells = cells_to_play();
  const auto outcomes = play_all(cells);
  for (std::size_t i = 0; i < cells.size(); ++i)
    check(cells[i], outcomes[i]);
  const auto after = process_resources::back_to(before);
  BOOST_TEST(after.descriptors == before.descriptors);
  BOOST_TEST(after.threads == before.threads);
  BOOST_TEST_MESSAGE(cells.size() << " cells");

  if (stride > 1)
    return;
  const std::string page = heading(cells.size()) + to_table(cells, outcomes);
  if (std::getenv("SSHEXEC_WRITE_FAULT_TABLE") != nullptr)
    std::ofstream{SSHEXEC_FAULT_TABLE} << page;
  BOOST_TEST(page == content_of(SSHEXEC_FAULT_TABLE), "docs/fault-matrix.md is out of date");
}
