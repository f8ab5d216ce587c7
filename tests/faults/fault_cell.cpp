#include "fault_cell.hpp"

#include <utility>

namespace sshexec::test {

namespace {

constexpr place all_places[]
  = {place::name_resolution,  place::connect,        place::banner,        place::key_exchange,
     place::host_key,         place::authentication, place::authenticated, place::channel_open,
     place::exec_request,     place::output,         place::exit_status,   place::close,
     place::idle_in_the_pool, place::being_retired};

constexpr fault all_faults[] = {fault::end,     fault::reset,    fault::silence, fault::disconnect,
                                fault::refusal, fault::omission, fault::garbage};

/// Whether such a thing can happen there.
bool exists(place where, fault what) {
  switch (what) {
    case fault::end:
    case fault::reset:
    case fault::disconnect:
      return where != place::name_resolution && where != place::connect && where != place::host_key;
    case fault::silence:
      return where != place::host_key;
    case fault::refusal:
      return where == place::name_resolution || where == place::connect || where == place::host_key
             || where == place::authentication || where == place::channel_open
             || where == place::exec_request;
    case fault::omission:
      return where == place::exec_request || where == place::output || where == place::exit_status
             || where == place::close;
    case fault::garbage:
      return where == place::banner;
  }
  return false;
}

} // namespace

std::vector<fault_cell> all_fault_cells() {
  std::vector<fault_cell> result;
  for (const place where : all_places) {
    for (const fault what : all_faults) {
      if (!exists(where, what))
        continue;
      for (const std::size_t commands : {1, 20}) {
        result.push_back({where, what, persistence::once, commands});
        if (!is_in_the_pool(where))
          result.push_back({where, what, persistence::always, commands});
      }
    }
  }
  return result;
}

std::string to_string(place x) {
  switch (x) {
    case place::name_resolution:
      return "name resolution";
    case place::connect:
      return "connect";
    case place::banner:
      return "banner";
    case place::key_exchange:
      return "key exchange";
    case place::host_key:
      return "host key";
    case place::authentication:
      return "authentication";
    case place::authenticated:
      return "authenticated";
    case place::channel_open:
      return "channel open";
    case place::exec_request:
      return "exec request";
    case place::output:
      return "output";
    case place::exit_status:
      return "exit status";
    case place::close:
      return "close";
    case place::idle_in_the_pool:
      return "idle in the pool";
    case place::being_retired:
      return "being retired";
  }
  return "unknown place";
}

std::string to_string(fault x) {
  switch (x) {
    case fault::end:
      return "end (FIN)";
    case fault::reset:
      return "reset (RST)";
    case fault::silence:
      return "silence";
    case fault::disconnect:
      return "disconnect";
    case fault::refusal:
      return "refusal";
    case fault::omission:
      return "omission";
    case fault::garbage:
      return "garbage";
  }
  return "unknown fault";
}

std::string to_string(const fault_cell& x) {
  return to_string(x.what) + " at " + to_string(x.where)
         + (x.how_often == persistence::once ? ", once, " : ", always, ")
         + std::to_string(x.commands) + (x.commands == 1 ? " command" : " commands");
}

namespace {

/// The rules for what the server says no to.
expectation after_refusal(const fault_cell& cell) {
  switch (cell.where) {
    case place::name_resolution:
      return {error_code::connection_error, connection_fault::name_not_found};
    case place::connect:
      if (cell.how_often == persistence::once)
        return {.attempts = 2};
      return {error_code::connection_error, connection_fault::refused, progress::not_started, 4};
    case place::host_key:
      return {error_code::host_key_error};
    case place::authentication:
      return {error_code::authentication_error};
    case place::channel_open:
      // A connection that opens no channel after some pauses is as good as none.
      if (cell.how_often == persistence::once)
        return {.attempts = 2};
      return {error_code::connection_error, connection_fault::dropped, progress::not_started, 4};
    default:
      return {error_code::rejected};
  }
}

/// How far a command got when the connection broke there.
progress progress_at(place where) {
  if (where < place::exec_request)
    return progress::not_started;
  return where == place::exit_status ? progress::finished : progress::may_have_run;
}

expectation after_break(const fault_cell& cell) {
  // Where the result is complete, and where a connection is replaced unnoticed.
  if (cell.where >= place::close)
    return {};
  if (cell.how_often == persistence::once)
    return {.attempts = 2};
  return {error_code::connection_error,
          cell.what == fault::silence ? connection_fault::timed_out : connection_fault::dropped,
          progress_at(cell.where), 4};
}

expectation after_omission(const fault_cell& cell) {
  if (cell.where == place::close)
    return {};
  if (cell.where != place::exit_status)
    return {error_code::command_timeout, connection_fault::none, progress::may_have_run};
  if (cell.how_often == persistence::once)
    return {.attempts = 2};
  return {error_code::connection_error, connection_fault::dropped, progress::may_have_run, 4};
}

} // namespace

bool overtakes(const fault_cell& cell) {
  return cell.what == fault::reset
         && (cell.where == place::exit_status || cell.where == place::close);
}

bool is_in_the_pool(place x) {
  return x == place::idle_in_the_pool || x == place::being_retired;
}

expectation expected(const fault_cell& cell) {
  if (cell.what == fault::refusal)
    return after_refusal(cell);
  if (cell.what == fault::garbage)
    return {error_code::connection_error, connection_fault::protocol};
  if (cell.what == fault::omission)
    return after_omission(cell);
  return after_break(cell);
}

} // namespace sshexec::test
