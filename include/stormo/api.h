#pragma once

#include <stormo/http.h>
#include <stormo/http_request.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stormo {

class Channel;
class Worker;

/// A key of the HTTP API. The key itself is not kept, only its hash.
struct ApiKey {
  std::string name;                 ///< 1 to 64 letters, digits, '-', '_' and '.'.
  std::string hash;                 ///< As hashOfApiKey() returns it.
  std::vector<std::string> rights;  ///< One or more of "publish", "control" and "read".
};

/// A new key, of 256 random bits: "stormo_" and 43 letters, digits, '-' and '_'.
[[nodiscard]] std::string makeApiKey();
/// "sha256:" and 64 hexadecimal digits.
[[nodiscard]] std::string hashOfApiKey(std::string_view key);
/// States what is wrong with it, as a sentence. Empty: nothing is.
[[nodiscard]] std::string complaintOfApiKey(const ApiKey& key);

struct ApiOptions {
  std::vector<ApiKey> keys;
  /// ChannelOptions::unackedBytesMax of the Channel: a request that might not fit gets 503 before
  /// any of it is done.
  std::size_t unackedBytesMax = 64 << 20;
  /// Time for the Channel to acknowledge what a request has sent. Then the answer is 503, though it
  /// may still take effect.
  std::chrono::milliseconds acknowledgeTimeout{10'000};
};

/// The HTTP API of the ready server (docs/api.md), on a Worker with http:// of your own: the
/// backend of a site publishes, decides and asks with it.
///
///     Worker worker("http://127.0.0.1:8100");
///     Channel channel("stormo://10.0.0.5:2206");
///     ApiServer api(worker, channel, {.keys = {{"web", hash, {"publish", "read"}}}});
///     worker.onWorkerStart = [&](Worker&) { channel.connect(); };
///     return Worker::runAll(argc, argv);
///
/// Declare it in main, as the Worker and the Channel, which must outlive it. The Channel is in
/// Stormo's dialect, and no GroupServer uses the same one.
class ApiServer {
 public:
  /// Sets the worker's handler onRequest. A program that sets it itself calls the function below.
  /// Throws std::invalid_argument, with a sentence for the user, for a key that complaintOfApiKey()
  /// refuses, and for two keys of one name.
  ApiServer(Worker& worker, Channel& channel, ApiOptions options);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// Answers each request, at once or later.
  void onRequest(const HttpRequest& request, HttpResponse& response);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
