/// ThreadSanitizer's defaults for the tool. It cannot see how CAF's mailboxes hand over a message,
/// and takes seconds for each megabyte of output to find that the race is one of those that are
/// suppressed: what is written and read by the C library is not looked at.
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
extern "C" const char* __tsan_default_options() {
  return "ignore_interceptors_accesses=1";
}
