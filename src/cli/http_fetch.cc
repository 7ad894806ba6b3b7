#include "cli/http_fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <stormo/version.h>

#include <array>
#include <charconv>
#include <memory>
#include <stdexcept>

#include "base/free_by.h"
#include "protocol/text/ascii.h"

namespace stormo::cli {
namespace {

constexpr long kRedirectsMax = 3;

struct Answer {
  std::size_t bytesMax;
  Fetched fetched = {};
  bool isTooLong = false;
};

std::size_t onBody(char* data, std::size_t, std::size_t size, void* user) {
  auto& answer = *static_cast<Answer*>(user);
  answer.isTooLong = size > answer.bytesMax - answer.fetched.body.size();
  if (answer.isTooLong) return 0;  // ends the transfer
  answer.fetched.body.append(data, size);
  return size;
}

std::size_t onHeader(char* data, std::size_t, std::size_t size, void* user) {
  auto& answer = *static_cast<Answer*>(user);
  const std::string_view line(data, size);
  const std::string_view name = line.substr(0, line.find(':'));
  if (line.starts_with("HTTP/")) answer.fetched = {};  // the one of the last redirect counts
  if (equalsIgnoringCase(name, "cache-control")) {
    answer.fetched.maxAge = maxAgeIn(line.substr(name.size() + 1));
  }
  return size;
}

}  // namespace

std::optional<std::chrono::seconds> maxAgeIn(std::string_view cacheControl) {
  constexpr std::string_view kMaxAge = "max-age=";
  std::optional<std::chrono::seconds> age;
  cacheControl = cacheControl.substr(0, cacheControl.find_last_not_of("\r\n") + 1);
  while (!cacheControl.empty()) {
    const std::string_view part = takeListItem(cacheControl);
    if (equalsIgnoringCase(part, "no-cache") || equalsIgnoringCase(part, "no-store")) {
      return std::chrono::seconds(0);
    }
    if (!equalsIgnoringCase(part.substr(0, kMaxAge.size()), kMaxAge)) continue;
    std::int32_t seconds = 0;  // more is no number
    const char* const first = part.data() + kMaxAge.size();
    const auto [end, errc] = std::from_chars(first, part.data() + part.size(), seconds);
    if (errc == std::errc{} && seconds >= 0) age = std::chrono::seconds(seconds);
  }
  return age;
}

Fetched fetch(const FetchRequest& request) {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, FreeBy<curl_easy_cleanup>> curl(curl_easy_init());
  if (kReady != CURLE_OK || curl == nullptr) throw std::runtime_error("libcurl cannot be used");
  Answer answer{.bytesMax = request.bytesMax};
  std::array<char, CURL_ERROR_SIZE> detail{};
  const auto set = [&](CURLoption option, auto value) {
    if (curl_easy_setopt(curl.get(), option, value) != CURLE_OK) {
      throw std::runtime_error(fmt::format("libcurl refuses option {}", static_cast<int>(option)));
    }
  };
  const bool isEncrypted = request.url.starts_with("https://");
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, isEncrypted ? "https" : "http");
  set(CURLOPT_REDIR_PROTOCOLS_STR, isEncrypted ? "https" : "http,https");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_TIMEOUT, static_cast<long>(request.timeout.count()));
  set(CURLOPT_NOSIGNAL, 1L);  // it runs in a thread
  set(CURLOPT_USERAGENT, "stormo/" STORMO_VERSION);
  set(CURLOPT_ERRORBUFFER, detail.data());
  set(CURLOPT_WRITEFUNCTION, &onBody);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&answer));
  set(CURLOPT_HEADERFUNCTION, &onHeader);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&answer));
  if (!request.authoritiesFile.empty()) set(CURLOPT_CAINFO, request.authoritiesFile.c_str());

  const CURLcode outcome = curl_easy_perform(curl.get());
  if (answer.isTooLong) {
    throw std::runtime_error(fmt::format("the answer has more than {} bytes", request.bytesMax));
  }
  if (outcome != CURLE_OK) {
    throw std::runtime_error(detail[0] == '\0' ? curl_easy_strerror(outcome) : detail.data());
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) throw std::runtime_error(fmt::format("the answer has status {}", status));
  return std::move(answer.fetched);
}

}  // namespace stormo::cli
