#include "config/key_set_url.h"

#include <gmock/gmock.h>

namespace stormo::config {
namespace {

TEST(KeySetUrl, IsEncryptedOrOfThisMachine) {
  for (const char* url :
       {"", "https://id.example/keys", "https://id.example:8443", "http://localhost:8080/keys",
        "http://127.0.0.1/keys", "http://127.1.2.3:80?x", "http://[::1]:80/keys",
        "insecure+http://id.example/keys"}) {
    EXPECT_EQ(complaintOfKeySetUrl(url), "") << url;
  }
  for (const char* url : {"http://id.example/keys", "http://127.0.0.1.example/keys",
                          "http://localhost.example", "http://[::2]/", "http://10.0.0.1/"}) {
    EXPECT_THAT(complaintOfKeySetUrl(url), testing::HasSubstr("insecure+http://")) << url;
  }
  for (const char* url : {"ftp://id.example", "id.example/keys", "insecure+https://id.example",
                          "HTTPS://id.example", "file:///etc/passwd"}) {
    EXPECT_THAT(complaintOfKeySetUrl(url), testing::HasSubstr("must begin with https://")) << url;
  }
  for (const char* url : {"https://", "https:///keys", "https://:80/", "https://id.example/a b",
                          "https://id.example/\n"}) {
    EXPECT_THAT(complaintOfKeySetUrl(url), testing::HasSubstr("is no URL")) << url;
  }
  EXPECT_THAT(complaintOfKeySetUrl("http://localhost@id.example/"),
              testing::HasSubstr("has a user, which is not sent"));
}

TEST(KeySetUrl, IsFetchedWithoutItsMark) {
  EXPECT_EQ(urlToFetch("insecure+http://id.example/keys"), "http://id.example/keys");
  EXPECT_EQ(urlToFetch("https://id.example/keys"), "https://id.example/keys");
}

}  // namespace
}  // namespace stormo::config
