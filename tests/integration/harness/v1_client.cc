#include "integration/harness/v1_client.h"

#include <stdexcept>
#include <utility>

#include "sys/sockets.h"

namespace stormo::integration {

using test::WebSocketClient;

V1Client::V1Client(const test::Deadline& deadline, std::uint16_t port, const std::string& token)
    : deadline_(deadline),
      client_(WebSocketClient::open(port, token.empty() ? "/" : "/?token=" + token,
                                    "Sec-WebSocket-Protocol: stormo.v1\r\n")),
      localPort_(localAddress(client_.raw().fd()).port()) {}

std::optional<V1Client::Json> V1Client::next() {
  while (auto frame = client_.await(deadline_.left())) {
    if (frame->opcode == websocket::Opcode::Text) return Json::parse(frame->payload);
    if (frame->opcode != websocket::Opcode::Close) continue;
    closed_ = {WebSocketClient::closeCode(*frame), WebSocketClient::closeReason(*frame)};
    return std::nullopt;
  }
  deadline_.check("a message of the server");
  return std::nullopt;
}

V1Client::Json V1Client::request(Json command) {
  const int id = ++lastId_;
  command["id"] = id;
  client_.sendText(command.dump());
  while (auto message = next()) {
    if (message->contains("id")) return *message;
    events_.push_back(std::move(*message));
  }
  throw std::runtime_error("the connection has ended without the reply to " + command.dump());
}

V1Client::Json V1Client::join(Json what, const Json& position) {
  what["cmd"] = "join";
  if (position.is_object()) {
    what["epoch"] = position.at("epoch");
    what["offset"] = position.at("offset");
  }
  return request(std::move(what));
}

V1Client::Json V1Client::nextEvent() {
  if (events_.empty()) {
    auto event = next();
    if (!event) throw std::runtime_error("the connection has ended: " + closed_.reason);
    return *event;
  }
  Json event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::vector<std::string> V1Client::messagesThrough(const std::string& last) {
  std::vector<std::string> texts;
  while (texts.empty() || texts.back() != last) {
    const Json event = nextEvent();
    if (event.value("event", "") == "message") texts.push_back(event.at("message"));
  }
  return texts;
}

std::vector<std::string> V1Client::messagesSoFar() {
  request({{"cmd", "ping"}});
  std::vector<std::string> texts;
  for (const Json& event : std::exchange(events_, {})) {
    if (event.value("event", "") == "message") texts.push_back(event.at("message"));
  }
  return texts;
}

V1Client::Closed V1Client::awaitClose() {
  while (auto event = next()) events_.push_back(std::move(*event));
  return closed_;
}

}  // namespace stormo::integration
