#pragma once

#include <cstddef>
#include <initializer_list>
#include <random>
#include <string>

namespace sshexec::soak {

/// Random decisions about one thing. They depend on its name alone and not on when they are asked
/// for, so that a seed decides the same in every run, whatever the threads do.
class dice {
public:
  explicit dice(const std::string& name) {
    std::seed_seq seed(name.begin(), name.end());
    random_.seed(seed);
  }

  template <class Number>
  Number between(Number low, Number high) {
    return std::uniform_int_distribution<Number>{low, high}(random_);
  }

  bool chance(int percent) { return between(1, 100) <= percent; }

  template <class T>
  T one_of(std::initializer_list<T> choices) {
    return choices.begin()[between<std::size_t>(0, choices.size() - 1)];
  }

private:
  std::minstd_rand random_;
};

} // namespace sshexec::soak
