#include "server/api/keys.h"

#include <gmock/gmock.h>

#include <stdexcept>

namespace stormo::server::api {
namespace {

using testing::HasSubstr;

ApiKey keyOf(const std::string& name, const std::string& secret,
             std::vector<std::string> rights = {"publish"}) {
  return {.name = name, .hash = hashOfApiKey(secret), .rights = std::move(rights)};
}

TEST(ApiKeys, AKeyIsFoundByItsHash) {
  const Keys keys({keyOf("web", "one"), keyOf("shell", "two", {"control", "read"})});
  const Keys::Key* const found = keys.find("Bearer two");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->name, "shell");
  EXPECT_FALSE(found->may(Right::Publish));
  EXPECT_TRUE(found->may(Right::Control));
  EXPECT_TRUE(found->may(Right::Read));
  EXPECT_EQ(keys.find("bearer  one")->name, "web");
}

TEST(ApiKeys, WhatIsNoKeyIsNotFound) {
  const Keys keys({keyOf("web", "one")});
  for (const std::string text : {"", "Bearer", "Bearer ", "Bearer three", "one", "Basic one",
                                 "Bearer ONE", "Bearer one two"}) {
    EXPECT_EQ(keys.find(text), nullptr) << text;
  }
  EXPECT_EQ(keys.find("Bearer " + hashOfApiKey("one")), nullptr);
  EXPECT_EQ(keys.find("Bearer " + std::string(10'000, 'x')), nullptr);
}

TEST(ApiKeys, HashesAreSha256InHexadecimal) {
  EXPECT_EQ(hashOfApiKey("abc"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ApiKeys, MadeKeysAreLongAndDiffer) {
  const std::string key = makeApiKey();
  EXPECT_EQ(key.size(), 50u);
  EXPECT_NE(key, makeApiKey());
  EXPECT_EQ(
      key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
      key.npos);
}

TEST(ApiKeys, WhatIsWrongWithAKeyIsStated) {
  EXPECT_EQ(complaintOfApiKey(keyOf("web", "one")), "");
  EXPECT_THAT(complaintOfApiKey(keyOf("", "one")), HasSubstr("the name of an API key"));
  EXPECT_THAT(complaintOfApiKey(keyOf("a b", "one")), HasSubstr("not 'a b'"));
  EXPECT_THAT(complaintOfApiKey({.name = "web", .hash = "one", .rights = {"read"}}),
              HasSubstr("needs its hash"));
  EXPECT_THAT(complaintOfApiKey(keyOf("web", "one", {})), HasSubstr("needs rights"));
  EXPECT_THAT(complaintOfApiKey(keyOf("web", "one", {"fly"})), HasSubstr("'fly'"));
  EXPECT_THROW(Keys({keyOf("web", "one"), keyOf("web", "two")}), std::invalid_argument);
}

}  // namespace
}  // namespace stormo::server::api
