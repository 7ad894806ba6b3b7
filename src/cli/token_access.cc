#include "cli/token_access.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "cli/secrets.h"
#include "config/key_set_url.h"
#include "sys/error_text.h"

namespace stormo::cli {
namespace {

std::string contentOf(const std::string& file) {
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(stream), {});
  if (stream.is_open() && !stream.bad() && !content.empty()) return content;
  throw std::runtime_error(fmt::format("cannot read the key file {}: {}", file,
                                       errno == 0 ? "it is empty" : errorText(errno)));
}

}  // namespace

AccessOptions accessOf(const config::Settings& settings) {
  AccessOptions access{.rules = settings.rules,
                       .issuers = settings.tokenIssuers,
                       .audiences = settings.tokenAudiences,
                       .leeway = settings.tokenLeeway,
                       .cookie = settings.tokenCookie,
                       .tokenTimeout = settings.tokenTimeout,
                       .notice = settings.tokenNotice,
                       .grace = settings.tokenGrace};
  const Secrets secrets = readSecrets(settings.tokenSecretFile, kTokenSecretVariable);
  for (const std::string& secret : {secrets.current, secrets.other}) {
    if (!secret.empty()) access.keys.push_back({.secret = secret});
  }
  for (const std::string& file : settings.tokenKeyFiles) {
    access.keys.push_back({.publicKey = contentOf(file)});
  }
  if (!settings.tokenKeySetFile.empty()) {
    access.keys.push_back({.keySet = contentOf(settings.tokenKeySetFile)});
  }
  access.moreKeysFollow = !settings.tokenKeySetUrl.empty();
  return access;
}

std::optional<TokenKeyFetch> tokenKeyFetchOf(const config::Settings& settings) {
  if (settings.tokenKeySetUrl.empty()) return std::nullopt;
  const std::string& authorities = settings.tokenKeySetAuthorities;
  if (!authorities.empty()) static_cast<void>(contentOf(authorities));
  return TokenKeyFetch{.request = {.url = config::urlToFetch(settings.tokenKeySetUrl),
                                   .authoritiesFile = authorities},
                       .refreshSeconds = settings.tokenKeySetRefresh.count()};
}

}  // namespace stormo::cli
