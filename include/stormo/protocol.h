#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace stormo {

/// How a stream of bytes carries messages: WebSocket, or packages that three functions delimit,
/// read and write. The scheme of a listening address chooses a protocol (`websocket://`, `http://`,
/// `frame://`, `text://`, `tcp://`); on a unix socket Worker::protocol does. Copies are cheap and
/// share the functions, which run on the thread of each loop that uses them.
///
/// A custom protocol, as in Workerman:
///
///     std::ptrdiff_t input(std::string_view buffer, std::size_t searched) {
///       const std::size_t end = buffer.find(';', searched);
///       return end == buffer.npos ? Protocol::kNeedMore : static_cast<std::ptrdiff_t>(end + 1);
///     }
///     std::string_view decode(std::string_view package) {
///       return package.substr(0, package.size() - 1);
///     }
///     void encode(std::string_view message, std::string& out) { out.append(message) += ';'; }
///
///     worker.protocol = Protocol::custom("semicolons", input, decode, encode);
///
/// Two are equal if they are the same built-in protocol, or copies of one that custom() made.
class Protocol {
 public:
  /// Results of `input` other than a length.
  static constexpr std::ptrdiff_t kNeedMore = 0;
  static constexpr std::ptrdiff_t kInvalid = -1;

  /// Returns the length in bytes of the first package in `buffer`, its header included; it may
  /// exceed buffer.size(). kNeedMore if the length is not known yet; kInvalid closes the
  /// connection. `buffer` is never empty. Called again at each arrival after kNeedMore: the first
  /// `searched` bytes of `buffer` were passed before, so a protocol that searches for an end can
  /// skip them. After a length it is not called again for this package. What `input` or `decode`
  /// throws is logged and closes the connection; what `encode` throws is thrown by send().
  using Input = std::function<std::ptrdiff_t(std::string_view buffer, std::size_t searched)>;
  /// Returns the message in one whole package: a view into it, or into storage that is valid until
  /// the next call.
  using Decode = std::function<std::string_view(std::string_view package)>;
  /// Appends the package that carries `message`.
  using Encode = std::function<void(std::string_view message, std::string& out)>;

  static Protocol websocket();  ///< RFC 6455: the server's side in a Worker, the client's in a
                                ///< Connector.
  static Protocol http();       ///< HTTP/1.1, of a Worker: see Worker::onRequest. No messages.
  static Protocol frame();      ///< Workerman's: 4 bytes big-endian total length, then the message.
  static Protocol text();       ///< One line per message, ended by "\n". maxPackageSize is 64 KiB.
  static Protocol tcp();        ///< Bytes as they arrive, without boundaries.
  /// Throws std::invalid_argument if one of the functions is empty.
  static Protocol custom(std::string name, Input input, Decode decode, Encode encode);
  /// The same with an `input` that examines the whole buffer each time. Use `searched` if it
  /// searches for an end: otherwise a package that arrives byte by byte takes time proportional to
  /// the square of its length.
  static Protocol custom(std::string name, std::function<std::ptrdiff_t(std::string_view)> input,
                         Decode decode, Encode encode);

  /// The built-in protocol of that name. Throws std::invalid_argument for an unknown name.
  static Protocol named(std::string_view name);

  [[nodiscard]] const std::string& name() const;
  /// True for websocket(), which has none of the three functions.
  [[nodiscard]] bool isWebSocket() const;
  /// True for http(), which has none of them either.
  [[nodiscard]] bool isHttp() const;

  // The three functions. To call one of websocket() or http() is a bug: the process
  // aborts.

  [[nodiscard]] std::ptrdiff_t input(std::string_view buffer, std::size_t searched) const;
  [[nodiscard]] std::string_view decode(std::string_view package) const;
  void encode(std::string_view message, std::string& out) const;

  bool operator==(const Protocol& other) const { return parts_ == other.parts_; }

  /// Maximum bytes of one received package, if Worker or Connector set no maximum. A longer one
  /// closes the connection.
  std::size_t maxPackageSize = 10 << 20;

 private:
  struct Parts;
  explicit Protocol(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const Parts> parts_;  // never null, never changed
};

}  // namespace stormo
