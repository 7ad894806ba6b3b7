#include <stormo/protocol.h>

#include <limits>
#include <stdexcept>
#include <variant>

#include "base/assert.h"
#include "protocol/package/frame.h"
#include "protocol/package/text_line.h"

namespace stormo {
namespace {

// PackageCodec limits the size, to Worker::maxPackageSize.
constexpr std::size_t kAnyLength = std::numeric_limits<std::size_t>::max();

std::ptrdiff_t inputResult(PackageLength length) {
  if (length.verdict == PackageLength::Verdict::Invalid) return Protocol::kInvalid;
  return static_cast<std::ptrdiff_t>(length.bytes);
}

}  // namespace

struct Protocol::Parts {
  struct WebSocket {};
  struct Http {};
  struct Packages {
    Input input;
    Decode decode;
    Encode encode;
  };

  std::string name;
  std::variant<WebSocket, Http, Packages> kind;

  [[nodiscard]] const Packages& packages() const {
    const Packages* packages = std::get_if<Packages>(&kind);
    STORMO_ASSERT(packages != nullptr);
    return *packages;
  }
};

// Each built-in protocol is made once, so that its copies compare equal.

Protocol Protocol::websocket() {
  static const Protocol kMade(
      std::make_shared<const Parts>(Parts{"websocket", Parts::WebSocket{}}));
  return kMade;
}

Protocol Protocol::http() {
  static const Protocol kMade(std::make_shared<const Parts>(Parts{"http", Parts::Http{}}));
  return kMade;
}

Protocol Protocol::frame() {
  static const Protocol kMade = custom(
      "frame", [](std::string_view buffer) { return inputResult(frameLength(buffer, kAnyLength)); },
      framePayload, appendFrame);
  return kMade;
}

Protocol Protocol::text() {
  static const Protocol kMade = [] {
    Protocol text = custom(
        "text",
        [](std::string_view buffer, std::size_t searched) {
          return inputResult(lineLength(buffer, kAnyLength, searched));
        },
        decodeLine, appendLine);
    text.maxPackageSize = 64 << 10;
    return text;
  }();
  return kMade;
}

Protocol Protocol::tcp() {
  static const Protocol kMade = custom(
      "tcp", [](std::string_view buffer) { return static_cast<std::ptrdiff_t>(buffer.size()); },
      [](std::string_view package) { return package; },
      [](std::string_view message, std::string& out) { out.append(message); });
  return kMade;
}

Protocol Protocol::custom(std::string name, Input input, Decode decode, Encode encode) {
  if (!input || !decode || !encode) {
    throw std::invalid_argument("protocol '" + name + "' needs input, decode and encode");
  }
  return Protocol(std::make_shared<const Parts>(Parts{
      std::move(name), Parts::Packages{std::move(input), std::move(decode), std::move(encode)}}));
}

Protocol Protocol::custom(std::string name, std::function<std::ptrdiff_t(std::string_view)> input,
                          Decode decode, Encode encode) {
  Input whole;
  if (input) {
    whole = [input = std::move(input)](std::string_view buffer, std::size_t) {
      return input(buffer);
    };
  }
  return custom(std::move(name), std::move(whole), std::move(decode), std::move(encode));
}

const std::string& Protocol::name() const { return parts_->name; }
bool Protocol::isWebSocket() const {
  return std::holds_alternative<Parts::WebSocket>(parts_->kind);
}

bool Protocol::isHttp() const { return std::holds_alternative<Parts::Http>(parts_->kind); }

std::ptrdiff_t Protocol::input(std::string_view buffer, std::size_t searched) const {
  return parts_->packages().input(buffer, searched);
}
std::string_view Protocol::decode(std::string_view package) const {
  return parts_->packages().decode(package);
}
void Protocol::encode(std::string_view message, std::string& out) const {
  parts_->packages().encode(message, out);
}

Protocol Protocol::named(std::string_view name) {
  if (name == "websocket") return websocket();
  if (name == "http") return http();
  if (name == "frame") return frame();
  if (name == "text") return text();
  if (name == "tcp") return tcp();
  if (name == "https" || name == "wss") {
    throw std::invalid_argument("'" + std::string(name) + "' is the scheme of clients: write " +
                                (name == "https" ? "http" : "websocket") +
                                ", and set Worker::tls for TLS");
  }
  throw std::invalid_argument("unknown protocol '" + std::string(name) +
                              "' (websocket, http, frame, text or tcp)");
}

}  // namespace stormo
