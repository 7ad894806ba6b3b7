// Clients whose tokens state keys that are not known, while newer keys are looked for.
#include "server/access_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class KeySearch : public AccessTest {
 protected:
  KeySearch() {
    settings.options.access.moreKeysFollow = true;
    settings.prepare = [this](GroupServer& own) {
      own.onUnknownKey = [this] {
        ++searches;
        return canSearch;
      };
    };
  }
  static std::string tokenOf(const std::string& key, const std::string& claims) {
    return access::compactToken(
        R"({"alg":"HS256","kid":")" + key + "\"}", claims, [&](const std::string& text) {
          return access::hmac(access::Algorithm::HS256, secretOf(key), text);
        });
  }
  static std::string secretOf(const std::string& key) { return std::string(32, key[0]); }
  void setKey(const std::string& key) {
    workers[0]->groupServer.setKeys({{.secret = secretOf(key), .id = key}});
  }
  static std::string refresh(const std::string& token) {
    return R"({"id":7,"cmd":"refresh","token":")" + token + "\"}";
  }

  bool canSearch = true;
  int searches = 0;
  const std::string ada = R"({"sub":"ada","groups":["news"],"rights":[{"groups":"news"}]})";
};

TEST_F(KeySearch, AClientThatConnectsWaitsForTheKeyOfItsToken) {
  start();
  Client v1Client = request("token=" + tokenOf("k", ada));
  Client plain = request("token=" + tokenOf("k", ada), false);
  plain.send(R"({"cmd":"send_to_group","group_id":"news","message":"early"})");
  settle();
  EXPECT_EQ(searches, 1);
  EXPECT_TRUE(v1Client.all().empty());
  EXPECT_TRUE(plain.all().empty());
  setKey("k");
  EXPECT_THAT(await(v1Client, 1), ElementsAre(HasSubstr("welcome")));
  EXPECT_THAT(await(plain, 1), ElementsAre("early"));
  EXPECT_EQ(searches, 1);
}

TEST_F(KeySearch, WithoutNewerKeysTheTokenIsRefused) {
  start();
  Client client = request("token=" + tokenOf("k", ada));
  Client other = request("");
  other.send(refresh(tokenOf("k", ada)));
  settle();
  workers[0]->groupServer.keepKeys();
  EXPECT_EQ(closed(client), "4401 the token's key is not known");
  EXPECT_THAT(await(other, 1), ElementsAre(HasSubstr("the token's key is not known")));
  // A token that comes later starts a search of its own.
  other.send(refresh(tokenOf("k", ada)));
  settle();
  EXPECT_EQ(searches, 2);
  setKey("k");
  EXPECT_THAT(await(other, 1), ElementsAre(HasSubstr("true")));
}

TEST_F(KeySearch, WithoutASearchTheTokenIsRefusedAtOnce) {
  canSearch = false;
  start();
  Client client = request("token=" + tokenOf("k", ada));
  EXPECT_EQ(closed(client), "4401 the token's key is not known");
  Client other = request("");
  EXPECT_THAT(ask(other, refresh(tokenOf("k", ada))), HasSubstr("the token's key is not known"));
}

TEST_F(KeySearch, ARefreshWaitsAndWhatFollowsIt) {
  start();
  setKey("a");
  Client v1Client = request("token=" + tokenOf("a", R"({"sub":"ada"})"));
  Client plain = request("token=" + tokenOf("a", R"({"sub":"ada"})"), false);
  EXPECT_THAT(await(v1Client, 1), ElementsAre(HasSubstr("welcome")));
  v1Client.send(refresh(tokenOf("b", ada)));
  v1Client.send(R"({"id":8,"cmd":"join","group":"news"})");
  plain.send(R"({"cmd":"refresh","token":")" + tokenOf("b", ada) + "\"}");
  plain.send(R"({"cmd":"send_to_group","group_id":"news","message":"m"})");
  settle();
  EXPECT_EQ(searches, 1);
  EXPECT_TRUE(v1Client.all().empty());
  EXPECT_TRUE(plain.all().empty());
  setKey("b");
  EXPECT_THAT(await(plain, 1), ElementsAre("m"));
  EXPECT_THAT(await(v1Client, 2)[0], HasSubstr(R"("id":7,"ok":true)"));
}

TEST_F(KeySearch, NewKeysReplaceThoseOfTheEarlierCallOnly) {
  start();
  setKey("a");
  setKey("b");
  canSearch = false;
  Client old = request("token=" + tokenOf("a", ada));
  EXPECT_EQ(closed(old), "4401 the token's key is not known");
  Client ofOptions = withToken(R"({"sub":"bob"})");
  EXPECT_THAT(await(ofOptions, 1), ElementsAre(HasSubstr("welcome")));
  EXPECT_THROW(workers[0]->groupServer.setKeys({{.secret = "short"}}), std::invalid_argument);
  Client client = request("token=" + tokenOf("b", ada));
  EXPECT_THAT(await(client, 1), ElementsAre(HasSubstr("welcome")));
}

TEST_F(KeySearch, WithoutMoreKeysFollowKeysCannotBeSet) {
  settings.options.access.moreKeysFollow = false;
  start();
  EXPECT_THROW(setKey("a"), std::logic_error);
}

}  // namespace
}  // namespace stormo::server
