#include "server/backend_commands.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace stormo::server {
namespace {

using What = BackendCommand::What;

Value with(Value fields, std::string_view key, Value value) {
  fields.set(key, std::move(value));
  return fields;
}

TEST(BackendCommand, IsReadFromItsFields) {
  std::string wrong;
  const auto join = commandOf(Value::array({{"cmd", "join"}, {"user", 7}, {"group", 12}}), wrong);
  ASSERT_TRUE(join) << wrong;
  EXPECT_EQ(join->what, What::Join);
  EXPECT_EQ(join->who, Audience::user("7"));
  EXPECT_EQ(join->group, "12");

  const Value kick = Value::array({{"cmd", "disconnect"}, {"all", true}});
  EXPECT_EQ(commandOf(kick, wrong)->code, CloseCode::PolicyViolation);
  const auto own = commandOf(with(with(kick, "code", 4000), "reason", "bye"), wrong);
  EXPECT_EQ(own->code, CloseCode{4000});
  EXPECT_EQ(own->reason, "bye");
  EXPECT_EQ(own->who, Audience::everybody());

  const Value info = Value::array({{"cmd", "info"}, {"client", std::string(32, 'x')}});
  EXPECT_EQ(commandOf(with(info, "info", R"({"a":1})"), wrong)->info, R"({"a":1})");
  EXPECT_EQ(commandOf(with(info, "info", Value::array({{"a", 1}})), wrong)->info, R"({"a":1})");
  EXPECT_EQ(commandOf(info, wrong)->info, "");
}

TEST(BackendCommand, IsRefusedWithASentenceIfItIsMalformed) {
  const Value join = Value::array({{"cmd", "join"}, {"user", "a"}, {"group", "g"}});
  const Value close = Value::array({{"cmd", "disconnect"}, {"user", "a"}});
  const Value info = Value::array({{"cmd", "info"}, {"user", "a"}});
  const std::pair<Value, std::string> table[] = {
      {nullptr, "cmd must be join, leave, disconnect or info"},
      {"join", "cmd must be join, leave, disconnect or info"},
      {with(join, "cmd", "fly"), "cmd must be join, leave, disconnect or info"},
      {with(join, "user", nullptr), "exactly one of user, client and all must be given"},
      {with(join, "all", true), "exactly one of user, client and all must be given"},
      {with(join, "user", Value::list({"a"})), "exactly one of user, client and all must be given"},
      {with(join, "user", std::string(254, 'a')), "user must not be longer than 253 bytes"},
      {Value::array({{"cmd", "join"}, {"client", "x"}, {"group", "g"}}),
       "client is no id of a client"},
      {with(join, "group", nullptr), "group must be a name of 1 to 255 bytes"},
      {with(join, "group", std::string("\0ux", 3)), "group must be a name of 1 to 255 bytes"},
      {with(join, "group", std::string(256, 'g')), "group must be a name of 1 to 255 bytes"},
      {with(close, "code", 1006),
       "code must be a close code that may be sent, as 1000, 1008 or 4000 to 4999"},
      {with(close, "code", "x"),
       "code must be a close code that may be sent, as 1000, 1008 or 4000 to 4999"},
      {with(close, "reason", "\xff"), "reason must be UTF-8"},
      {with(info, "info", "[1]"), "info must be the JSON text of an object, or empty"},
      {with(info, "info", "{"), "info must be the JSON text of an object, or empty"},
      {with(info, "info", 7), "info must be the JSON text of an object, or empty"},
      {with(info, "info", R"({"a":")" + std::string(5000, 'x') + "\"}"),
       "info must not be longer than 4096 bytes"},
  };
  for (const auto& [data, expected] : table) {
    std::string wrong;
    EXPECT_FALSE(commandOf(data, wrong)) << expected;
    EXPECT_EQ(wrong, expected);
  }
}

}  // namespace
}  // namespace stormo::server
