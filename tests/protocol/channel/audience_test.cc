#include <gtest/gtest.h>
#include <stormo/audience.h>

#include <stdexcept>

#include "protocol/channel/client_name.h"

namespace stormo {
namespace {

TEST(Audience, IsItsNameInTheChannel) {
  const std::string client(32, 'c');
  for (const Audience& audience : {Audience::group("news"), Audience::user("ada"),
                                   Audience::client(client), Audience::everybody()}) {
    const auto same = Audience::ofName(audience.channelName());
    ASSERT_TRUE(same);
    EXPECT_EQ(*same, audience);
    EXPECT_EQ(same->kind(), audience.kind());
    EXPECT_EQ(same->id(), audience.id());
  }
  EXPECT_EQ(Audience::group("news").channelName(), "news");
  EXPECT_EQ(Audience::user("ada").id(), "ada");
  EXPECT_EQ(Audience::user("ada").channelName(), std::string("\0uada", 5));
  EXPECT_EQ(Audience::user(std::string(253, 'u')).channelName().size(), 255u);
}

TEST(Audience, NamesHaveTheirLimits) {
  EXPECT_THROW(Audience::group(""), std::invalid_argument);
  EXPECT_THROW(Audience::group(std::string(256, 'g')), std::invalid_argument);
  EXPECT_THROW(Audience::group(std::string("\0uada", 5)), std::invalid_argument);
  EXPECT_THROW(Audience::user(""), std::invalid_argument);
  EXPECT_THROW(Audience::user(std::string(254, 'u')), std::invalid_argument);
  EXPECT_THROW(Audience::client("short"), std::invalid_argument);
}

TEST(Audience, OtherReservedNamesAreNone) {
  using std::string_literals::operator""s;
  for (const std::string& name :
       {"\0"s, "\0u"s, "\0cshort"s, "\0ax"s, "\0z"s, std::string(256, 'g'), ""s}) {
    EXPECT_FALSE(Audience::ofName(name)) << name;
    EXPECT_TRUE(isReservedName(name)) << name;
  }
  EXPECT_FALSE(isReservedName("a\0b"s));
}

TEST(ClientName, IsSubscribedByItsProcess) {
  const std::string client =
      Audience::client(std::string(12, 'p') + std::string(20, 'c')).channelName();
  EXPECT_EQ(channel::subscriptionOf(client), client.substr(0, 14));
  EXPECT_TRUE(channel::isClientName(client));
  for (const std::string& name :
       {std::string("news"), Audience::user(std::string(32, 'u')).channelName(),
        Audience::everybody().channelName(), client.substr(0, 14)}) {
    EXPECT_EQ(channel::subscriptionOf(name), name);
    EXPECT_FALSE(channel::isClientName(name));
  }
}

}  // namespace
}  // namespace stormo
