#include "protocol/websocket/deflate_negotiation.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace stormo::websocket {
namespace {

std::vector<Extension> extensions(const std::string& value) {
  return parseExtensions({{"Sec-WebSocket-Extensions", value}}).value();
}

/// The header with which a server answers these offers; empty if it declines.
std::string answerTo(const std::string& offers, bool contextTakeover = false) {
  const auto accepted = acceptDeflate(extensions(offers), contextTakeover);
  return accepted ? deflateHeader(*accepted) : "";
}

constexpr const char* kPlainAnswer =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

TEST(DeflateOffer, IsAcceptedWithoutContextTakeoverByDefault) {
  EXPECT_EQ(answerTo("permessage-deflate"), kPlainAnswer);
  EXPECT_EQ(answerTo("permessage-deflate; client_no_context_takeover"), kPlainAnswer);
  EXPECT_EQ(answerTo("permessage-deflate; server_no_context_takeover"), kPlainAnswer);
}

TEST(DeflateOffer, KeepsContextTakeoverWhereTheServerAndTheClientWantIt) {
  EXPECT_EQ(answerTo("permessage-deflate", true), "permessage-deflate");
  EXPECT_EQ(answerTo("permessage-deflate; server_no_context_takeover", true),
            "permessage-deflate; server_no_context_takeover");
  EXPECT_EQ(answerTo("permessage-deflate; client_no_context_takeover", true),
            "permessage-deflate; client_no_context_takeover");
}

TEST(DeflateOffer, MayLimitTheWindowOfTheServer) {
  for (int bits = 8; bits <= 15; ++bits) {
    const std::string limit = "; server_max_window_bits=" + std::to_string(bits);
    EXPECT_EQ(answerTo("permessage-deflate" + limit), kPlainAnswer + limit);
  }
  EXPECT_EQ(answerTo("permessage-deflate; server_max_window_bits=\"10\""),
            std::string(kPlainAnswer) + "; server_max_window_bits=10");
}

TEST(DeflateOffer, MayLetTheServerLimitTheWindowOfTheClient) {
  EXPECT_EQ(answerTo("permessage-deflate; client_max_window_bits"), kPlainAnswer);
  EXPECT_EQ(answerTo("permessage-deflate; client_max_window_bits=8"), kPlainAnswer);
  EXPECT_EQ(answerTo("permessage-deflate; client_max_window_bits=15"), kPlainAnswer);
}

TEST(DeflateOffer, TakesItsParametersInAnyOrder) {
  std::vector<std::string> parameters = {"client_max_window_bits", "client_no_context_takeover",
                                         "server_max_window_bits=12", "server_no_context_takeover"};
  int orders = 0;
  do {
    std::string offer = "permessage-deflate";
    for (const std::string& each : parameters) offer += "; " + each;
    EXPECT_EQ(answerTo(offer), std::string(kPlainAnswer) + "; server_max_window_bits=12") << offer;
    ++orders;
  } while (std::ranges::next_permutation(parameters).found);
  EXPECT_EQ(orders, 24);
}

TEST(DeflateOffer, IsDeclinedWithAnInvalidParameter) {
  for (const char* wrong : {"unknown",
                            "unknown=1",
                            "server_no_context_takeover=1",
                            "client_no_context_takeover=true",
                            "server_max_window_bits",
                            "server_max_window_bits=7",
                            "server_max_window_bits=16",
                            "server_max_window_bits=010",
                            "server_max_window_bits=09",
                            "server_max_window_bits=1",
                            "server_max_window_bits=100",
                            "server_max_window_bits=x",
                            "server_max_window_bits=+9",
                            "client_max_window_bits=7",
                            "client_max_window_bits=16",
                            "client_max_window_bits=08",
                            "Server_No_Context_Takeover",
                            "server_no_context_takeover; server_no_context_takeover",
                            "client_no_context_takeover; client_no_context_takeover",
                            "server_max_window_bits=10; server_max_window_bits=10",
                            "client_max_window_bits; client_max_window_bits",
                            "client_max_window_bits; client_max_window_bits=10"}) {
    const std::string offer = std::string("permessage-deflate; ") + wrong;
    EXPECT_EQ(answerTo(offer), "") << offer;
    EXPECT_EQ(answerTo(offer + ", permessage-deflate; server_max_window_bits=9"),
              std::string(kPlainAnswer) + "; server_max_window_bits=9")
        << offer;
  }
}

TEST(DeflateOffer, IsTheFirstOfSeveralThatIsAcceptable) {
  EXPECT_EQ(answerTo("permessage-bzip2, permessage-deflate; server_max_window_bits=10, "
                     "permessage-deflate"),
            std::string(kPlainAnswer) + "; server_max_window_bits=10");
  EXPECT_EQ(answerTo("x-webkit-deflate-frame"), "");
  EXPECT_EQ(acceptDeflate({}, false), std::nullopt);
}

/// "invalid", "declined", or the header of what was agreed.
std::string check(const DeflateParameters& offer, const std::string& answer) {
  const DeflateAnswer checked =
      checkDeflateAnswer(offer, answer.empty() ? std::vector<Extension>() : extensions(answer));
  if (!checked.valid) return "invalid";
  return checked.agreed ? deflateHeader(*checked.agreed) : "declined";
}

TEST(DeflateAnswer, AgreesOnWhatWasOffered) {
  EXPECT_EQ(check({}, ""), "declined");
  EXPECT_EQ(check({}, "permessage-deflate"), "permessage-deflate");
  EXPECT_EQ(check({}, kPlainAnswer), kPlainAnswer);
  EXPECT_EQ(check({}, "permessage-deflate; server_max_window_bits=8"),
            "permessage-deflate; server_max_window_bits=8");
  EXPECT_EQ(check({.clientWindowBits = 15}, "permessage-deflate; client_max_window_bits=10"),
            "permessage-deflate; client_max_window_bits=10");
  EXPECT_EQ(check({.clientWindowBits = 15}, "permessage-deflate; client_max_window_bits=8"),
            "permessage-deflate; client_max_window_bits=8");
  EXPECT_EQ(check({.serverWindowBits = 12}, "permessage-deflate; server_max_window_bits=11"),
            "permessage-deflate; server_max_window_bits=11");
}

TEST(DeflateAnswer, IsInvalidIfItAgreesOnSomethingElse) {
  EXPECT_EQ(check({.serverNoContextTakeover = true}, "permessage-deflate"), "invalid");
  EXPECT_EQ(check({.serverWindowBits = 12}, "permessage-deflate"), "invalid");
  EXPECT_EQ(check({.serverWindowBits = 12}, "permessage-deflate; server_max_window_bits=13"),
            "invalid");
  EXPECT_EQ(check({}, "permessage-deflate; client_max_window_bits=10"), "invalid");
  EXPECT_EQ(check({.clientWindowBits = 10}, "permessage-deflate; client_max_window_bits=11"),
            "invalid");
  EXPECT_EQ(check({}, "permessage-bzip2"), "invalid");
  EXPECT_EQ(check({}, "permessage-deflate, permessage-deflate"), "invalid");
}

TEST(DeflateAnswer, IsInvalidWithAnInvalidParameter) {
  for (const char* wrong : {"unknown", "server_no_context_takeover=1", "server_max_window_bits",
                            "client_max_window_bits", "client_max_window_bits=16",
                            "server_no_context_takeover; server_no_context_takeover"}) {
    EXPECT_EQ(check({.clientWindowBits = 15}, std::string("permessage-deflate; ") + wrong),
              "invalid")
        << wrong;
  }
}

}  // namespace
}  // namespace stormo::websocket
