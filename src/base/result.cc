#include <stormo/result.h>

namespace stormo {

std::string Error::message() const { return std::string(step) + ": " + code.message(); }

}  // namespace stormo
