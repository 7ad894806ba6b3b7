#include <stormo/protocol.h>

#include <limits>
#include <stdexcept>

#include "protocol/frame.h"
#include "protocol/text_line.h"

namespace stormo {
namespace {

// The connection bounds packages itself, by Worker::maxPackageSize.
constexpr std::size_t kAnyLength = std::numeric_limits<std::size_t>::max();

std::ptrdiff_t answer(PackageLength length) {
  if (length.verdict == PackageLength::Verdict::Invalid) return Protocol::kInvalid;
  return static_cast<std::ptrdiff_t>(length.bytes);
}

}  // namespace

Protocol Protocol::websocket() {
  return {.name = "websocket", .input = {}, .decode = {}, .encode = {}};
}

Protocol Protocol::frame() {
  return custom(
      "frame", [](std::string_view buffer) { return answer(frameLength(buffer, kAnyLength)); },
      framePayload, appendFrame);
}

Protocol Protocol::text() {
  Protocol text = custom(
      "text",
      [](std::string_view buffer, std::size_t searched) {
        return answer(lineLength(buffer, kAnyLength, searched));
      },
      decodeLine, appendLine);
  text.maxPackageSize = 64 << 10;
  return text;
}

Protocol Protocol::tcp() {
  return custom(
      "tcp", [](std::string_view buffer) { return static_cast<std::ptrdiff_t>(buffer.size()); },
      [](std::string_view package) { return package; },
      [](std::string_view message, std::string& out) { out.append(message); });
}

Protocol Protocol::custom(std::string name, Input input, Decode decode, Encode encode) {
  return {.name = std::move(name),
          .input = std::move(input),
          .decode = std::move(decode),
          .encode = std::move(encode)};
}

Protocol Protocol::custom(std::string name, std::function<std::ptrdiff_t(std::string_view)> input,
                          Decode decode, Encode encode) {
  return custom(
      std::move(name),
      [input = std::move(input)](std::string_view buffer, std::size_t) { return input(buffer); },
      std::move(decode), std::move(encode));
}

Protocol Protocol::named(std::string_view name) {
  if (name == "websocket") return websocket();
  if (name == "frame") return frame();
  if (name == "text") return text();
  if (name == "tcp") return tcp();
  throw std::invalid_argument("unknown protocol '" + std::string(name) +
                              "' (websocket, frame, text or tcp)");
}

}  // namespace stormo
