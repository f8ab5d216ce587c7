#include "sshexec/ssh/login_plan.hpp"

#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace sshexec::ssh;

namespace {

using means = login_plan::means;

const login_methods key{login_method::publickey};
const login_methods word{login_method::password};
const login_methods prompt{login_method::keyboard_interactive};
const login_methods any_word{login_method::password, login_method::keyboard_interactive};
const login_methods all{login_method::publickey, login_method::password,
                        login_method::keyboard_interactive};

std::string name(const login_plan& x) {
  const login_plan::step next = x.next();
  switch (next.what) {
    case means::key:
      return "key " + std::to_string(next.index);
    case means::agent:
      return "agent " + std::to_string(next.index);
    case means::password:
      return "password";
    case means::keyboard_interactive:
      return "keyboard-interactive";
    case means::question:
      return "question";
    case means::nothing:
      return "nothing";
  }
  return "";
}

/// A server's answer to what was offered.
enum class reply { refuses, accepts_partly, fails_here, lists };

struct exchange {
  std::string offered;
  reply answer;
  login_methods open;
};

struct conversation {
  const char* name;
  login_plan plan;
  std::vector<exchange> course;
  /// What is next behind these.
  std::string last = "nothing";
};

void tell(login_plan& plan, const exchange& x) {
  switch (x.answer) {
    case reply::refuses:
      return plan.refused(x.open);
    case reply::accepts_partly:
      return plan.accepted_partly(x.open);
    case reply::fails_here:
      return plan.failed();
    case reply::lists:
      return plan.answered(x.open);
  }
}

const std::vector<conversation> conversations{
  {"nothing to offer", {0, 0, false}, {}},
  {"keys go before agents, in their order",
   {2, 1, false},
   {{"key 0", reply::refuses, key},
    {"key 1", reply::refuses, key},
    {"agent 0", reply::refuses, key}}},
  {"a key that fails here makes way for the next",
   {2, 0, false},
   {{"key 0", reply::fails_here, {}}},
   "key 1"},
  {"a server that takes no keys is offered no more of them",
   {3, 1, false},
   {{"key 0", reply::refuses, word}}},
  {"a server that does not say what it takes is offered everything but the password",
   {2, 0, true},
   {{"key 0", reply::refuses, {}}, {"key 1", reply::refuses, {}}},
   "question"},
  {"a password waits until the server asks for one",
   {0, 0, true},
   {{"question", reply::lists, any_word}},
   "password"},
  {"a server that takes no password gets none", {0, 0, true}, {{"question", reply::lists, key}}},
  {"the keys go before the password",
   {1, 1, true},
   {{"key 0", reply::refuses, all}, {"agent 0", reply::refuses, all}},
   "password"},
  {"a wrong password is not said again, by no method",
   {0, 0, true},
   {{"question", reply::lists, any_word}, {"password", reply::refuses, any_word}}},
  {"a wrong answer to a prompt is not said again as a password",
   {0, 0, true},
   {{"question", reply::lists, prompt}, {"keyboard-interactive", reply::refuses, any_word}}},
  {"a prompt that was not answered leaves the password unsaid",
   {0, 0, true},
   {{"question", reply::lists, prompt}, {"keyboard-interactive", reply::fails_here, {}}},
   "nothing"},
  {"a key and then a password", {1, 0, true}, {{"key 0", reply::accepts_partly, word}}, "password"},
  {"a key and then a prompt",
   {1, 0, true},
   {{"key 0", reply::accepts_partly, prompt}},
   "keyboard-interactive"},
  {"a password and then a key that was offered too early",
   {1, 0, true},
   {{"key 0", reply::refuses, word}, {"password", reply::accepts_partly, key}},
   "key 0"},
  {"two keys; the first one is not offered again",
   {2, 0, false},
   {{"key 0", reply::accepts_partly, key}, {"key 1", reply::refuses, key}}},
  {"what was refused before comes behind what was not offered yet",
   {3, 0, false},
   {{"key 0", reply::refuses, key},
    {"key 1", reply::accepts_partly, key},
    {"key 2", reply::refuses, key}},
   "key 0"},
  {"what was refused before comes before the password",
   {2, 0, true},
   {{"key 0", reply::refuses, all}, {"key 1", reply::accepts_partly, all}},
   "key 0"},
  {"an agent has other keys for the next step",
   {0, 1, false},
   {{"agent 0", reply::accepts_partly, key}},
   "agent 0"},
  {"a password that was accepted is not the answer to the next step",
   {0, 0, true},
   {{"question", reply::lists, word}, {"password", reply::accepts_partly, prompt}}},
};

} // namespace

BOOST_AUTO_TEST_SUITE(login_plans)

BOOST_AUTO_TEST_CASE(what_is_offered_follows_from_what_the_server_answers) {
  for (conversation x : conversations) {
    BOOST_TEST_CONTEXT(x.name) {
      for (const exchange& turn : x.course) {
        BOOST_TEST(name(x.plan) == turn.offered);
        tell(x.plan, turn);
      }
      BOOST_TEST(name(x.plan) == x.last);
    }
  }
}

BOOST_AUTO_TEST_CASE(however_often_a_server_wants_more_it_comes_to_an_end) {
  login_plan plan{4, 0, true};
  std::size_t offers = 0;
  for (; plan.next().what != means::nothing && offers < 100; ++offers) {
    if (plan.next().what == means::question)
      plan.answered(all);
    else if (offers % 2 == 0)
      plan.refused(all);
    else
      plan.accepted_partly(all);
  }
  BOOST_TEST(offers < 100U);
}

BOOST_AUTO_TEST_SUITE_END()
