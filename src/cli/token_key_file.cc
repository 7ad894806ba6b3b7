#include "cli/token_key_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <exception>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "access/key_set.h"
#include "cli/private_file.h"
#include "sys/unique_fd.h"

namespace stormo::cli {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kRetrySeconds = 30;
constexpr std::int64_t kRetrySecondsWithoutKeys = 5;
constexpr std::int64_t kFreshSecondsMin = 60;

std::int64_t systemSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::string copyPath(const TokenKeyFetch& fetch) { return fetch.directory + "/keys.json"; }

/// Held by the worker that looks for keys. Its file has the time of the latest attempt.
class Turn {
 public:
  explicit Turn(const std::string& directory) {
    if (directory.empty()) return;
    const std::string path = directory + "/attempt";
    file_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    while (file_.valid() && ::flock(file_.get(), LOCK_EX) != 0 && errno == EINTR) continue;
  }

  /// 0: there was none of this URL.
  [[nodiscard]] std::int64_t attempt(const std::string& url) const {
    if (!file_.valid()) return 0;
    std::array<char, 4096> bytes{};
    const ssize_t size = ::pread(file_.get(), bytes.data(), bytes.size(), 0);
    if (size <= 0) return 0;
    const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
    std::int64_t time = 0;
    const auto [end, errc] = std::from_chars(text.data(), text.data() + text.size(), time);
    const bool isOfUrl = text.substr(static_cast<std::size_t>(end - text.data())) == ' ' + url;
    return errc == std::errc{} && isOfUrl ? time : 0;
  }
  void setAttempt(const std::string& url, std::int64_t time) const {
    if (!file_.valid() || ::ftruncate(file_.get(), 0) != 0) return;
    const std::string text = fmt::format("{} {}", time, url);
    static_cast<void>(::pwrite(file_.get(), text.data(), text.size(), 0));
  }

 private:
  UniqueFd file_;
};

/// Nothing if there is none of this URL.
std::optional<FetchedKeys> readCopy(const TokenKeyFetch& fetch) {
  if (fetch.directory.empty()) return std::nullopt;
  std::ifstream file(copyPath(fetch), std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  try {
    const Json copy = Json::parse(text);
    if (copy.at("url") != fetch.request.url) return std::nullopt;
    FetchedKeys keys{.keySet = copy.at("key_set"),
                     .fetched = copy.at("fetched"),
                     .freshUntil = copy.at("fresh_until")};
    static_cast<void>(access::KeySet::fromJwks(keys.keySet));
    return keys;
  } catch (const std::exception&) {  // none, or of a disk that was full
    return std::nullopt;
  }
}

/// Throws std::runtime_error.
void writeCopy(const TokenKeyFetch& fetch, const FetchedKeys& keys) {
  if (fetch.directory.empty()) return;
  const std::string text = Json{
      {"url", fetch.request.url},
      {"key_set", keys.keySet},
      {"fetched", keys.fetched},
      {"fresh_until",
       keys.freshUntil}}.dump();
  replacePrivateFile(copyPath(fetch), text);
}

FetchedKeys fetchKeys(const TokenKeyFetch& fetch, std::int64_t now) {
  Fetched fetched = cli::fetch(fetch.request);
  static_cast<void>(access::KeySet::fromJwks(fetched.body));
  const std::int64_t most = fetch.refreshSeconds;
  const std::int64_t fresh =
      fetched.maxAge ? std::clamp(fetched.maxAge->count(), std::min(kFreshSecondsMin, most), most)
                     : most;
  return {.keySet = std::move(fetched.body), .fetched = now, .freshUntil = now + fresh};
}

}  // namespace

std::int64_t retrySeconds(const TokenKeyFetch& fetch, bool hasKeys) {
  return std::min(hasKeys ? kRetrySeconds : kRetrySecondsWithoutKeys, fetch.refreshSeconds);
}

FoundKeys lookForKeys(const TokenKeyFetch& fetch, bool isUrgent) {
  const Turn turn(fetch.directory);
  FoundKeys found{.keys = readCopy(fetch)};
  const std::int64_t now = systemSeconds();
  const auto isWithin = [now](std::int64_t from, std::int64_t until) {
    return from <= now && now < until;  // not if the clock was set back
  };
  const bool isFresh = found.keys && isWithin(found.keys->fetched, found.keys->freshUntil);
  if (isFresh && !isUrgent) return found;
  const std::int64_t attempt = turn.attempt(fetch.request.url);
  if (isWithin(attempt, attempt + retrySeconds(fetch, found.keys.has_value()))) return found;
  turn.setAttempt(fetch.request.url, now);
  try {
    found.keys = fetchKeys(fetch, now);
    found.isFetched = true;
    writeCopy(fetch, *found.keys);
  } catch (const std::exception& failed) {
    found.problem = failed.what();
  }
  return found;
}

}  // namespace stormo::cli
