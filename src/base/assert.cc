#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace stormo {

void assertionFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "stormo: assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace stormo
