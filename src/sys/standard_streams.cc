#include "sys/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace stormo {
namespace {

[[noreturn]] void fail(const std::string& what, int number) {
  std::string why = std::generic_category().message(number);
  why[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(why[0])));
  throw std::runtime_error(what + ": " + why);
}

}  // namespace

void openStandardStreams() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) >= 0) continue;
    // The lowest number that is free is this one.
    if (::open("/dev/null", O_RDONLY) < 0) fail("cannot open /dev/null", errno);
  }
}

void printOut(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    fail("cannot write to stdout", errno);
  }
}

}  // namespace stormo
