#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace stormo {

/// How a stream of bytes is cut into messages. The scheme of a listening address chooses one
/// (`websocket://`, `frame://`, `text://`, `tcp://`); on a unix socket, Worker::protocol does.
///
/// A protocol of one's own is three functions, as in Workerman:
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
/// Two are equal if they are the same built-in one, or copies of one that custom() made.
class Protocol {
 public:
  /// Answers of `input` beside a length.
  static constexpr std::ptrdiff_t kNeedMore = 0;
  static constexpr std::ptrdiff_t kInvalid = -1;

  /// How many bytes the first package in `buffer` has, its head included: more than there are, if
  /// that is known already; kNeedMore if not; kInvalid closes the connection. `buffer` is never
  /// empty. Called again at each arrival after kNeedMore: the first `searched` bytes of `buffer`
  /// were given before, so a protocol that searches for an end need not look at them again. After a
  /// length it is not called again for this package.
  using Input = std::function<std::ptrdiff_t(std::string_view buffer, std::size_t searched)>;
  /// The message in one whole package: a view into it (or into storage that lives until the next
  /// call).
  using Decode = std::function<std::string_view(std::string_view package)>;
  /// Appends the package that carries `message`.
  using Encode = std::function<void(std::string_view message, std::string& out)>;

  static Protocol websocket();  ///< RFC 6455, server side.
  static Protocol frame();      ///< Workerman's: 4 bytes big-endian total length, then the message.
  static Protocol text();       ///< A line each, ended by "\n"; 64 KiB at most, unless set.
  static Protocol tcp();        ///< Bytes as they come.
  /// Throws std::invalid_argument if one of the functions is empty.
  static Protocol custom(std::string name, Input input, Decode decode, Encode encode);
  /// The same with an `input` that looks at the whole buffer each time. One that searches for an
  /// end takes `searched` instead: else a package that arrives byte by byte costs the square of its
  /// length.
  static Protocol custom(std::string name, std::function<std::ptrdiff_t(std::string_view)> input,
                         Decode decode, Encode encode);

  /// The built-in one of that name. Throws std::invalid_argument for an unknown name.
  static Protocol named(std::string_view name);

  [[nodiscard]] const std::string& name() const;
  /// It is no mere cutting of bytes: it has none of the three functions, which must not be called.
  [[nodiscard]] bool isWebSocket() const;

  [[nodiscard]] std::ptrdiff_t input(std::string_view buffer, std::size_t searched) const;
  [[nodiscard]] std::string_view decode(std::string_view package) const;
  void encode(std::string_view message, std::string& out) const;

  bool operator==(const Protocol& other) const { return parts_ == other.parts_; }

  std::size_t maxPackageSize = 10 << 20;  ///< Bytes; where Worker or Connector set none.

 private:
  struct Parts;
  explicit Protocol(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const Parts> parts_;  ///< Never null, and never changed.
};

}  // namespace stormo
