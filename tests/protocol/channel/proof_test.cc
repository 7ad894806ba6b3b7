#include "protocol/channel/proof.h"

#include <gtest/gtest.h>

namespace stormo::channel {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

// The worked example of docs/channel-protocol.md.
TEST(ChannelProof, IsTheKeyedHashOfTheChallengeAndTheProducer) {
  std::string challenge;
  for (int i = 0; i < 32; ++i) challenge.push_back(static_cast<char>(i));
  const std::string proof = proofOf("s3cret", challenge, 0x0123456789abcdef);
  EXPECT_EQ(hex(proof), "db20cb61ba6d247de1a6a2ea509f681b550e8161b0c49bef4fdb67271c96c46c");
  EXPECT_TRUE(isProofOf("s3cret", challenge, 0x0123456789abcdef, proof));
}

TEST(ChannelProof, AnyOtherInputHasAnotherOne) {
  const std::string challenge(kChallengeBytes, 'c');
  const std::string proof = proofOf("secret", challenge, 1);
  EXPECT_FALSE(isProofOf("secreT", challenge, 1, proof));
  EXPECT_FALSE(isProofOf("secret", std::string(kChallengeBytes, 'd'), 1, proof));
  EXPECT_FALSE(isProofOf("secret", challenge, 2, proof));
  EXPECT_FALSE(isProofOf("secret", challenge, 1, std::string_view(proof).substr(1)));
  EXPECT_FALSE(isProofOf("secret", challenge, 1, {}));
  for (std::size_t i = 0; i < proof.size(); ++i) {
    std::string changed = proof;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(isProofOf("secret", challenge, 1, changed)) << i;
  }
}

TEST(ChannelProof, ChallengesDiffer) { EXPECT_NE(randomChallenge(), randomChallenge()); }

}  // namespace
}  // namespace stormo::channel
