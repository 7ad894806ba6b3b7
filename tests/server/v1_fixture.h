#pragma once

#include <stormo/json.h>

#include <string>
#include <string_view>
#include <vector>

#include "server/server_fixture.h"

namespace stormo::server {

/// Clients of stormo.v1.
class V1ClientsTest : public ServerTest {
 protected:
  V1ClientsTest() { server.history.groups = {"kept*"}; }

  Client v1(std::size_t worker = 0) { return connect(worker, "stormo.v1"); }

  /// Sends one request, and returns its only reply.
  std::string ask(Client& client, std::string_view request) {
    client.send(request);
    const auto answers = await(client, 1);
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? "" : answers.front();
  }
  /// Joins, and returns the epoch and the offset as the next join takes them.
  std::string join(Client& client, std::string_view group) {
    return positionIn(
        ask(client, R"({"id":1,"cmd":"join","group":")" + std::string(group) + "\"}"));
  }
  static std::string positionIn(const std::string& reply) {
    const auto value = parseJson(reply);
    if (!value || !(*value)["epoch"].isString()) return "no position in " + reply;
    return R"("epoch":")" + std::string((*value)["epoch"].asString()) + R"(","offset":)" +
           std::to_string((*value)["offset"].asInt());
  }
  /// Sends a message to a group, and waits until the Channel has it.
  void send(Client& client, std::string_view group, std::string_view text) {
    static int id = 100;
    const std::string number = std::to_string(++id);
    EXPECT_EQ(ask(client, R"({"id":)" + number + R"(,"cmd":"send","group":")" + std::string(group) +
                              R"(","message":")" + std::string(text) + "\"}"),
              R"({"id":)" + number + R"(,"ok":true})");
  }
  /// A short text for each event and reply: its message, name, result or error code.
  static std::vector<std::string> brief(const std::vector<std::string>& received) {
    std::vector<std::string> words;
    for (const std::string& text : received) {
      const auto value = parseJson(text);
      if (!value) {
        words.push_back("no JSON: " + text);
      } else if ((*value)["event"].isString() && (*value)["message"].isString()) {
        words.emplace_back((*value)["message"].asString());
      } else if ((*value)["event"].isString()) {
        words.emplace_back((*value)["event"].asString());
      } else if (!(*value)["recovered"].isNull()) {
        words.emplace_back((*value)["recovered"].asBool() ? "recovered" : "not recovered");
      } else if ((*value)["error"].isArray()) {
        words.emplace_back((*value)["error"]["code"].asString());
      } else {
        words.push_back("ok " + std::to_string((*value)["id"].asInt()));
      }
    }
    return words;
  }
};

}  // namespace stormo::server
