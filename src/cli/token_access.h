#pragma once

#include <stormo/access.h>

#include "config/settings.h"

namespace stormo::cli {

/// The keys of tokens, which it reads from their files, and what [access] sets else. Throws
/// std::runtime_error, with a sentence for the user, if a file cannot be read.
AccessOptions accessOf(const config::Settings& settings);

}  // namespace stormo::cli
