#include "sshexec/app/rollout/rollout_output.hpp"

#include "sshexec/actors/fleet/node_set.hpp"
#include "sshexec/actors/services/escape.hpp"
#include "sshexec/app/rollout/progress_line.hpp"
#include "sshexec/app/rollout/result_lines.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>

namespace sshexec::app {

namespace {

double seconds(std::chrono::steady_clock::duration x) {
  return std::chrono::duration<double>{x}.count();
}

} // namespace

terminal_manners manners_of(const rollout_request& request) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool shows_out = ::isatty(STDOUT_FILENO) == 1;
  const bool shows_err = ::isatty(STDERR_FILENO) == 1;
  const bool is_dumb = term != nullptr && std::string_view{term} == "dumb";
  return {wants_colours(request.colour, shows_out, no_color, term),
          wants_colours(request.colour, shows_err, no_color, term),
          shows_err && !is_dumb && !request.is_quiet};
}

rollout_output::rollout_output(const rollout_request& request, const terminal_manners& manners,
                               screen on)
  : request_(&request), manners_(manners), screen_(on) {
  if (!request.output_directory)
    return;
  files_.emplace(*request.output_directory);
  for (const machine& x : request.what.machines)
    files_->remove(name_of(x));
}

void rollout_output::take(const output_chunk& chunk) {
  const auto place = place_of(chunk.command_id);
  if (error_ || !place || *place >= request_->what.machines.size())
    return;
  if (files_)
    keep(files_->write(name_of(request_->what.machines[*place]), chunk.stream, chunk.attempt,
                       chunk.data));
  if (prints_lines() && !chunk.data.empty())
    print_lines(*place, chunk);
}

void rollout_output::take(const machine_outcome& x) {
  account_.add(x);
  if (const auto i = writers_.find(x.index); i != writers_.end()) {
    end_lines(i->second);
    writers_.erase(i);
  }
  if (files_)
    end_files(x);
  if (request_->form == output_form::json)
    return write(output_stream::stdout_stream, to_json_line(x) + '\n');
  if (gathers())
    gathered_.add(x);
  if (request_->is_verbose && x.kind != outcome_kind::never_started)
    slow_.done(x.kind == outcome_kind::ended ? x.result.duration : x.what.duration);
  if (x.kind == outcome_kind::failed)
    tell_of(x.index, x.machine, x.what.message);
  for (const std::string& name : x.result.refused_environment)
    tell_of(x.index, x.machine, "the server does not accept the environment variable " + name);
}

void rollout_output::show(const rollout_progress& now) {
  if (error_)
    return;
  if (request_->is_verbose)
    tell_who_is_slow(now);
  if (manners_.shows_progress)
    screen_.show(progress_line(now, std::chrono::steady_clock::now() - begun_at_,
                               // In the last column a terminal would begin another line.
                               screen_.width() - 1));
}

void rollout_output::tell_who_is_slow(const rollout_progress& now) {
  const auto found = slow_.look(now.running, std::chrono::steady_clock::now());
  if (found)
    tell(
      fmt::format("slow: {} ({}), for {:.1f} s under way; half of the others took {:.1f} s at most",
                  names_at(found->places), found->places.size(), seconds(found->under_way),
                  seconds(found->median)));
}

void rollout_output::tell_what_is_left(const rollout_progress& now) {
  const auto running = now.running.size();
  const auto left = now.all - now.succeeded - now.ended_otherwise - now.failed - running;
  tell(running == 0 ? fmt::format("none still runs, {} will never start", left)
                    : fmt::format("{} still run, {} will never start; Ctrl-C again ends those "
                                  "that run",
                                  running, left));
}

void rollout_output::tell_who_runs(const rollout_progress& now) {
  tell(fmt::format("{} still run: {}", now.running.size(), names_at(now.running)));
}

std::string rollout_output::names_at(const std::vector<std::uint64_t>& places) const {
  std::vector<std::string> names;
  for (const auto place : places)
    if (place < request_->what.machines.size())
      names.push_back(name_of(request_->what.machines[place]));
  return fold_names(names);
}

void rollout_output::leave_terminal() const {
  if (manners_.shows_progress)
    screen_.leave();
}

void rollout_output::finish(const rollout_summary& summary) {
  screen_.erase();
  if (gathers())
    write(output_stream::stdout_stream, request_->form == output_form::compared
                                          ? gathered_.differences(fold_names)
                                          : gathered_.text(fold_names));
  if (request_->form == output_form::json)
    write(output_stream::stdout_stream, to_json_line(summary) + '\n');
  if (request_->is_quiet && account_.all_succeeded())
    return;
  for (const std::string& line : account_.lines(summary.duration, fold_names))
    tell(line);
}

bool rollout_output::prints_lines() const {
  return request_->form == output_form::lines && !files_;
}

bool rollout_output::gathers() const {
  return request_->form == output_form::gathered || request_->form == output_form::compared;
}

rollout_output::writer& rollout_output::writer_of(std::size_t place, const machine& who) {
  const auto i = writers_.find(place);
  if (i != writers_.end())
    return i->second;
  return writers_
    .emplace(place, writer{labelled_lines{label(place, who, manners_.colours_out)},
                           labelled_lines{label(place, who, manners_.colours_err)}})
    .first->second;
}

void rollout_output::print_lines(std::size_t place, const output_chunk& chunk) {
  const machine& who = request_->what.machines[place];
  writer& mine = writer_of(place, who);
  const bool begins_anew = std::exchange(mine.attempt, chunk.attempt) != chunk.attempt;
  if (begins_anew && std::exchange(mine.has_written, true)) {
    end_lines(mine);
    tell_of(place, who,
            "the connection was lost: the command runs again, and its output begins anew");
  }
  const bool is_stdout = chunk.stream == output_stream::stdout_stream;
  write(chunk.stream, (is_stdout ? mine.out : mine.err).take(chunk.data));
}

void rollout_output::end_lines(writer& x) {
  write(output_stream::stdout_stream, x.out.finish());
  write(output_stream::stderr_stream, x.err.finish());
}

void rollout_output::end_files(const machine_outcome& x) {
  const std::string name = name_of(x.machine);
  if (x.kind == outcome_kind::ended && !error_)
    keep(files_->finish(name));
  else
    files_->close(name);
}

std::string rollout_output::failed_place() const {
  const bool is_file = files_ && !files_->failed_path().empty();
  return is_file ? files_->failed_path().string() : "the output";
}

void rollout_output::tell_of(std::size_t place, const machine& who, const std::string& text) {
  write(output_stream::stderr_stream,
        label(place, who, manners_.colours_err) + "sshexec: " + escape_controls(text) + '\n');
}

void rollout_output::tell(const std::string& text) {
  screen_.write(output_stream::stderr_stream, "sshexec: " + escape_controls(text) + '\n');
}

void rollout_output::write(output_stream stream, const std::string& lines) {
  if (!error_ && !lines.empty())
    keep(screen_.write(stream, lines));
}

void rollout_output::keep(std::error_code error) {
  if (!error || error_)
    return;
  error_ = error;
  if (on_failure_)
    on_failure_();
}

std::string rollout_output::label(std::size_t place, const machine& who, bool coloured) const {
  return request_->has_prefix ? label_of(escape_controls(name_of(who)), place, coloured) : "";
}

} // namespace sshexec::app
