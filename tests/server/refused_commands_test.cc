// Clients that go on with what they may not do.
#include "server/access_fixture.h"

namespace stormo::server {
namespace {

using testing::HasSubstr;

class RefusedCommandsTest : public AccessTest {
 protected:
  RefusedCommandsTest() {
    settings.options.refusedCommandsMax = 3;
    settings.options.access.rules = {{.groups = "lobby", .join = Who::Anyone, .send = Who::Anyone}};
  }
};

TEST_F(RefusedCommandsTest, TooManyInARowCloseTheClientOfV1) {
  start();
  Client client = request("");
  const auto sendTo = [&](int id, const std::string& group) {
    return ask(client, R"({"id":)" + std::to_string(id) + R"(,"cmd":"send","group":")" + group +
                           R"(","message":"m"})");
  };
  EXPECT_THAT(sendTo(1, "staff"), HasSubstr("forbidden"));
  EXPECT_THAT(sendTo(2, "staff"), HasSubstr("forbidden"));
  EXPECT_THAT(sendTo(3, "lobby"), HasSubstr("true"));
  EXPECT_THAT(sendTo(4, "staff"), HasSubstr("forbidden"));
  EXPECT_THAT(ask(client, R"({"id":5,"cmd":"ping"})"), HasSubstr("true"));  // ends no row
  EXPECT_THAT(ask(client, R"({"id":6,"cmd":"join","group":"staff"})"), HasSubstr("forbidden"));
  client.send(R"({"id":7,"cmd":"join","group":"staff"})");
  EXPECT_EQ(closed(client), "1008 3 refused commands in a row");
}

TEST_F(RefusedCommandsTest, TooManyInARowCloseTheClientOfTheGroupCommands) {
  start();
  Client client = request("", false);
  const std::string refused = R"({"cmd":"add_group","group_id":"staff"})";
  client.send(refused);
  client.send(refused);
  client.send(R"({"cmd":"add_group","group_id":"lobby"})");
  client.send(refused);
  client.send(R"({"cmd":"send_to_group","group_id":"staff","message":"m"})");
  sync(client);
  EXPECT_EQ(client.received.size(), 4u);
  client.send(refused);
  EXPECT_EQ(closed(client), "1008 3 refused commands in a row");
}

}  // namespace
}  // namespace stormo::server
