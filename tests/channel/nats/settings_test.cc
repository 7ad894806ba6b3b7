#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "channel/nats/ack_subject.h"
#include "channel/nats/nats_link.h"
#include "channel/nats/nats_stream.h"
#include "channel/nats/nkey.h"
#include "channel/nats/server_url.h"
#include "channel/nats/stream_setup.h"

namespace stormo::channel {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string problemOf(const std::string& url) {
  try {
    (void)parseServerUrl(url);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "(valid)";
}

TEST(ServerUrl, SchemeAndPortHaveDefaults) {
  EXPECT_EQ(parseServerUrl("nats://h1:4333").name(), "h1:4333");
  EXPECT_EQ(parseServerUrl("nats://h1").name(), "h1:4222");
  EXPECT_EQ(parseServerUrl("h1").name(), "h1:4222");
  EXPECT_EQ(parseServerUrl("h1:1/").name(), "h1:1");
  EXPECT_EQ(parseServerUrl("[::1]:7").name(), "[::1]:7");
  EXPECT_EQ(parseServerUrl("nats://[::1]").host, "::1");
  EXPECT_FALSE(parseServerUrl("nats://h1").isTls);
  EXPECT_TRUE(parseServerUrl("tls://h1").isTls);
}

TEST(ServerUrl, LoginIsDecodedAndNotPartOfTheName) {
  const ServerUrl url = parseServerUrl("nats://us%40er:p%3Aa:s@s@h1:1");
  EXPECT_EQ(url.user, "us@er");
  EXPECT_EQ(url.password, "p:a:s@s");
  EXPECT_EQ(url.name(), "h1:1");
  EXPECT_EQ(parseServerUrl("nats://secret@h1").token, "secret");
}

TEST(ServerUrl, ErrorsNameTheServerButNotThePassword) {
  EXPECT_EQ(problemOf("http://u:secret@h1:80"),
            "cluster server \"h1:80\": the scheme must be nats or tls; a server of the cluster is "
            "written nats://host:port");
  for (const char* const url :
       {"nats://u:secret@", "nats://u:secret@h:0", "nats://u:secret@h:99999",
        "nats://u:secret@h:1x", "nats://u:secret@h h", "nats://u:secret%2@h", "nats://:secret@h",
        "nats://u:secret@[::1", "nats://u:secret@[::1]x", "nats://u:secret@h:", "x://u:secret@h"}) {
    EXPECT_THAT(problemOf(url), AllOf(HasSubstr("cluster server"), Not(HasSubstr("secret"))))
        << url;
  }
  EXPECT_THROW((void)parseServerUrls({}), std::invalid_argument);
}

TEST(ClusterSettings, InvalidValuesAreRejectedWithASentence) {
  const auto problem = [](ClusterSettings settings) -> std::string {
    settings.servers = {"nats://127.0.0.1"};
    try {
      const NatsStream stream(std::move(settings));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "(valid)";
  };
  EXPECT_EQ(problem({}), "(valid)");
  EXPECT_EQ(problem({.stream = "a.b"}),
            "cluster stream \"a.b\": a name has 1 to 200 characters of A-Z a-z 0-9 _ and -");
  EXPECT_THAT(problem({.stream = ""}), HasSubstr("1 to 200 characters"));
  EXPECT_THAT(problem({.replicas = 6}), HasSubstr("cluster replicas 6: use 1 to 5"));
  EXPECT_THAT(problem({.maxAge = std::chrono::seconds(-1)}), HasSubstr("must not be negative"));
}

TEST(ClusterSettings, ReplicasFollowTheNumberOfServers) {
  ClusterSettings settings;
  for (int servers = 1; servers <= 4; ++servers) {
    settings.servers.emplace_back("h");
    EXPECT_EQ(replicasOf(settings), std::min(servers, 3));
  }
  settings.replicas = 5;
  EXPECT_EQ(replicasOf(settings), 5);
}

TEST(AckSubject, SequencesAreFoundInBothForms) {
  const auto position = parseAckSubject("$JS.ACK.stormo.abc.1.17.4.1669638392.0");
  ASSERT_TRUE(position);
  EXPECT_EQ(position->streamSequence, 17u);
  EXPECT_EQ(position->consumerSequence, 4u);
  for (const char* const subject : {"$JS.ACK.domain.acc.stormo.abc.1.17.4.1669638392.0",
                                    "$JS.ACK._.acc.stormo.abc.1.17.4.1669638392.0.random"}) {
    const auto other = parseAckSubject(subject);
    ASSERT_TRUE(other) << subject;
    EXPECT_EQ(other->streamSequence, 17u);
    EXPECT_EQ(other->consumerSequence, 4u);
  }
}

TEST(AckSubject, OtherSubjectsAreRejected) {
  for (const char* const subject :
       {"", "$JS.FC.stormo.abc.1", "$JS.ACK.", "$JS.ACK.stormo.abc.1.17.4.1",
        "$JS.ACK.stormo.abc.1.x.4.1.0", "$JS.ACK.stormo.abc.1.0.4.1.0",
        "$JS.ACK.stormo.abc.1.17..1.0", "$JS.ACK.d.a.stormo.abc.1.17",
        "$JS.ACK.stormo.abc.1.99999999999999999999.4.1.0"}) {
    EXPECT_FALSE(parseAckSubject(subject)) << subject;
  }
}

TEST(Nkey, PublicKeyComesFromTheSeed) {
  constexpr std::string_view kSeed = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
  EXPECT_EQ(publicKeyOfSeed(kSeed), "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4");
  std::string damaged(kSeed);
  damaged[20] = damaged[20] == 'A' ? 'B' : 'A';
  EXPECT_EQ(publicKeyOfSeed(damaged), std::nullopt);
  EXPECT_EQ(publicKeyOfSeed(kSeed.substr(1)), std::nullopt);
  EXPECT_EQ(publicKeyOfSeed(""), std::nullopt);
}

TEST(PublishAnswer, OnlyErrorsHaveADescription) {
  EXPECT_EQ(errorIn(R"({"stream":"stormo","seq":7})"), "");
  EXPECT_EQ(errorIn(R"({"error":{"code":503,"err_code":10077,"description":"no space left"}})"),
            "no space left");
  EXPECT_EQ(errorIn(R"({"error":1})"), "an error without a description");
  EXPECT_EQ(errorIn(R"({"error":)"), "");
}

}  // namespace
}  // namespace stormo::channel
