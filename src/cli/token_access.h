#pragma once

#include <stormo/access.h>

#include <optional>

#include "cli/token_key_file.h"
#include "config/settings.h"

namespace stormo::cli {

/// The keys of tokens, which it reads from their files, and what [access] sets else. Throws
/// std::runtime_error, with a sentence for the user, if a file cannot be read.
AccessOptions accessOf(const config::Settings& settings);

/// How the keys of access.key-set-url are fetched, if it is set; without a directory. Throws
/// std::runtime_error, with a sentence for the user, if the authorities cannot be read.
std::optional<TokenKeyFetch> tokenKeyFetchOf(const config::Settings& settings);

}  // namespace stormo::cli
