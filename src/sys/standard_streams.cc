#include "sys/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>

#include "sys/error_text.h"

namespace stormo {

void openStandardStreams() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) >= 0) continue;
    // open() returns the lowest free number, which is `standard`.
    if (::open("/dev/null", O_RDONLY) < 0) {
      throw std::runtime_error("cannot open /dev/null: " + errorText(errno));
    }
  }
}

void printOut(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    throw std::runtime_error("cannot write to stdout: " + errorText(errno));
  }
}

}  // namespace stormo
