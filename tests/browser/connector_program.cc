// A Connector for the tests with servers that others have written. It sends each message of a list
// when the echo of the one before has come, then closes with 4001, and prints one JSON object:
// what it has seen until the connection ended, or the first error.
//   connector_program URL [--deflate none|single|context] [--subprotocol NAME]…
//                     [--header NAME VALUE]… [--receive-only]
#include <stormo/stormo.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

using namespace stormo;

std::vector<Message> messages() {
  static const std::vector<std::string> kTexts = [] {
    std::vector<std::string> texts = {"", "short", "perch\xc3\xa9 no?"};
    std::string json;
    for (int i = 0; i < 2000; ++i) json += R"({"id":)" + std::to_string(i) + R"(,"name":"x"},)";
    texts.push_back(json);
    texts.push_back(json);  // shorter with context takeover
    texts.emplace_back(100'000, 'y');
    std::string bytes;
    for (int i = 0; i < 70'000; ++i) bytes.push_back(static_cast<char>(i * i % 251));
    texts.push_back(bytes);
    return texts;
  }();
  std::vector<Message> all(kTexts.begin(), kTexts.end());
  all.back().type = MessageType::Binary;
  all.emplace_back(binary(""));
  return all;
}

void readOptions(const std::vector<std::string>& arguments, Connector& connector,
                 bool& receiveOnly) {
  WebSocketClientOptions& options = connector.websocket;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--deflate") {
      const std::string& kind = arguments.at(++i);
      options.deflate = {.enabled = kind != "none", .contextTakeover = kind == "context"};
    } else if (name == "--subprotocol") {
      options.subprotocols.push_back(arguments.at(++i));
    } else if (name == "--header") {
      options.headers.push_back({arguments.at(i + 1), arguments.at(i + 2)});
      i += 2;
    } else {
      receiveOnly = true;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  EventLoop loop;
  Connector connector(argv[1]);
  connector.reconnect = std::chrono::milliseconds(0);
  bool receiveOnly = false;
  readOptions({argv + 2, argv + argc}, connector, receiveOnly);

  nlohmann::json seen = {{"received", 0}};
  std::vector<Message> toSend = messages();
  std::size_t next = 0;
  const auto sendNext = [&](Connection& connection) {
    if (receiveOnly) return;
    if (next == toSend.size()) return connection.close(static_cast<CloseCode>(4001), "done");
    (void)connection.send(toSend[next]);
  };
  connector.onConnect = [&](Connection& connection) {
    seen["subprotocol"] = connector.subprotocol();
    sendNext(connection);
  };
  connector.onMessage = [&](Connection& connection, Message message) {
    seen["received"] = seen["received"].get<int>() + 1;
    if (!receiveOnly && message != toSend[next++]) seen["mismatch"] = next - 1;
    sendNext(connection);
  };
  connector.onClose = [&](Connection& connection) {
    seen["code"] = static_cast<int>(connection.closeCode());
    seen["reason"] = connection.closeReason();
    seen["bytesRead"] = connection.bytesRead();
    seen["bytesWritten"] = connection.bytesWritten();
    loop.stop();
  };
  connector.onError = [&](const Error& error) {
    seen["error"] = error.message();
    loop.stop();
  };
  connector.connect();
  loop.run();
  std::cout << seen << std::endl;
  return 0;
}
