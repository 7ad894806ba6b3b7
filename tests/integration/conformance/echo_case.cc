#include "integration/conformance/echo_case.h"

#include <utility>

#include "base/bytes.h"

namespace stormo::integration {

using test::WebSocketClient;

EchoCase answered(std::string name, std::vector<EchoCase::Step> steps) {
  steps.push_back({{closeFrame(1000)}});
  return {.name = std::move(name), .steps = std::move(steps)};
}

EchoCase answered(std::string name, std::vector<std::string> writes,
                  std::vector<EchoCase::Frame> replies) {
  return answered(std::move(name),
                  std::vector<EchoCase::Step>{{std::move(writes), std::move(replies)}});
}

EchoCase failed(std::string name, std::vector<std::string> writes,
                std::vector<EchoCase::Frame> replies, CloseCode code) {
  return {.name = std::move(name),
          .steps = {{std::move(writes), std::move(replies)}},
          .closeCode = code};
}

std::string closeFrame(int code, std::string_view reason) {
  std::string payload(2, '\0');
  storeBigEndian(payload.data(), static_cast<std::uint16_t>(code));
  return WebSocketClient::frame(0x88, payload.append(reason));
}

std::vector<std::string> fragments(int opcode, std::string_view message, std::size_t size) {
  std::vector<std::string> frames;
  for (std::size_t at = 0; at == 0 || at < message.size(); at += size) {
    const int fin = at + size >= message.size() ? 0x80 : 0x00;
    frames.push_back(
        WebSocketClient::frame(fin | (at == 0 ? opcode : 0x00), message.substr(at, size)));
  }
  return frames;
}

std::vector<std::string> chops(std::string_view bytes, std::size_t size) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < bytes.size(); at += size)
    parts.emplace_back(bytes.substr(at, size));
  return parts;
}

}  // namespace stormo::integration
