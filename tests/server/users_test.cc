// What is sent to a user, to a client, and to everybody.
#include "server/backend_fixture.h"

namespace stormo::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(BackendTest, AUserReceivesItsMessagesOnAllClients) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  Client notJoined = ada(true);
  Client bob = withToken(R"({"sub":"bob"})", false);
  sync(bob);
  EXPECT_THAT(ask(v1Client, R"({"id":1,"cmd":"join","to":"user"})"), HasSubstr(R"("ok":true)"));
  send(Audience::user("ada"), "mail");
  EXPECT_THAT(await(plain, 1), ElementsAre("mail"));
  EXPECT_THAT(await(v1Client, 1),
              ElementsAre(testing::MatchesRegex(
                  R"(\{"event":"message","to":"user","offset":[0-9]+,"message":"mail"\})")));
  EXPECT_THAT(notJoined.all(), IsEmpty());
  EXPECT_THAT(bob.all(), IsEmpty());
  EXPECT_EQ(brief({ask(v1Client, R"({"id":2,"cmd":"leave","to":"user"})")})[0], "ok 2");
  send(Audience::user("ada"), "more");
  EXPECT_THAT(await(plain, 1), ElementsAre("more"));
  EXPECT_THAT(v1Client.all(), IsEmpty());
}

TEST_F(BackendTest, AnOfflineUserGetsItsMailboxWithItsPosition) {
  startAll();
  Client first = ada(true);
  const std::string position = positionIn(ask(first, R"({"id":1,"cmd":"join","to":"user"})"));
  first.socket.raw() = test::RawPeer();
  settle();
  send(Audience::user("ada"), "one");
  send(Audience::user("ada"), "not here", excepting(Audience::user("ada")));
  send(Audience::user("ada"), "two");
  settle();
  Client again = ada(true);
  again.send(R"({"id":1,"cmd":"join","to":"user",)" + position + "}");
  EXPECT_THAT(brief(await(again, 3)), ElementsAre("one", "two", "recovered"));
}

TEST_F(BackendTest, AGapClosesTheClientsThatHaveAUser) {
  startAll();
  Client plain = ada(false);
  Client stranger = request("", false);
  sync(stranger);
  records = {};
  restartChannel();
  EXPECT_EQ(closed(plain), "1012 messages were lost, join again");
  sync(stranger);
}

TEST_F(BackendTest, AMessageToAClientReachesItAlone) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  const std::string plainId = idOf(plain, false);
  const std::string v1Id = idOf(v1Client, true);
  EXPECT_NE(plainId, v1Id);
  send(Audience::client(plainId), "for you");
  send(Audience::client(v1Id), "and you");
  EXPECT_THAT(await(plain, 1), ElementsAre("for you"));
  EXPECT_THAT(await(v1Client, 1), ElementsAre(testing::MatchesRegex(
                                      R"(\{"event":"message","to":"client","offset":[0-9]+,)"
                                      R"("message":"and you"\})")));
  std::string guessed = plainId;
  guessed.back() = guessed.back() == 'A' ? 'B' : 'A';
  send(Audience::client(guessed), "nobody");
  send(Audience::client(plainId), "last");
  EXPECT_THAT(await(plain, 1), ElementsAre("last"));
}

TEST_F(BackendTest, EverybodyIsEachClientThatHasShownAToken) {
  startAll();
  Client plain = ada(false);
  Client v1Client = ada(true);
  Client stranger = request("", false);
  sync(stranger);
  EXPECT_EQ(brief({ask(v1Client, R"({"id":1,"cmd":"join","to":"all"})")})[0], "ok 1");
  send(Audience::everybody(), "hello");
  EXPECT_THAT(await(plain, 1), ElementsAre("hello"));
  EXPECT_THAT(await(v1Client, 1), ElementsAre(HasSubstr(R"({"event":"message","to":"all",)")));
  Client later = ada(false);
  send(Audience::everybody(), "again");
  EXPECT_THAT(await(plain, 1), ElementsAre("again"));
  EXPECT_THAT(await(later, 1), ElementsAre("again"));
  sync(stranger);
  EXPECT_THAT(stranger.received, IsEmpty());
}

TEST_F(BackendTest, AnOpenServerSendsToEveryClientOfEveryWorker) {
  settings.options.access.keys.clear();
  startAll();
  Client plain = connect(0);
  Client other = connect(1);
  Client v1Client = v1(1);
  EXPECT_EQ(brief({ask(v1Client, R"({"id":1,"cmd":"join","to":"all"})")})[0], "ok 1");
  EXPECT_EQ(brief({ask(v1Client, R"({"id":2,"cmd":"join","to":"user"})")})[0], "no_user");
  send(Audience::everybody(), "hello");
  for (Client* client : {&plain, &other}) EXPECT_THAT(await(*client, 1), ElementsAre("hello"));
  EXPECT_THAT(brief(await(v1Client, 1)), ElementsAre("hello"));
  EXPECT_EQ(idOf(plain, false).size(), 32u);
}

TEST_F(BackendTest, ExceptedUsersAndClientsGetNothing) {
  startAll();
  Client adaPlain = ada(false);
  Client adaV1 = ada(true);
  const std::string claims = R"({"sub":"bob","rights":[{"groups":"*"}]})";
  Client bob = withToken(claims, false);
  Client bobToo = withToken(claims, false);
  for (Client* each : {&bob, &bobToo}) sync(*each);
  const Audience oneOfBob = Audience::client(idOf(bob, false));
  const Audience oneOfAda = Audience::client(idOf(adaPlain, false));
  command(Value::array({{"cmd", "join"}, {"all", true}, {"group", "kept"}}));
  EXPECT_THAT(brief(await(adaV1, 1)), ElementsAre("joined"));
  send(Audience::group("kept"), "1", excepting(Audience::user("ada")));
  send(Audience::group("kept"), "2", excepting(oneOfBob) + excepting(Audience::user("ada")));
  send(Audience::everybody(), "3", excepting(Audience::user("bob")));
  send(Audience::user("ada"), "4", excepting(oneOfAda));
  send(Audience::group("kept"), "5");
  EXPECT_THAT(await(bob, 2), ElementsAre("1", "5"));
  EXPECT_THAT(await(bobToo, 3), ElementsAre("1", "2", "5"));
  EXPECT_THAT(await(adaPlain, 2), ElementsAre("3", "5"));
  EXPECT_THAT(brief(await(adaV1, 1)), ElementsAre("5"));
}

TEST_F(BackendTest, NamesWithAZeroByteAreNoGroups) {
  settings.options.access.keys.clear();
  startAll();
  Client v1Client = v1(0);
  Client plain = connect(0);
  const std::string name = R"("\u0000uada")";
  EXPECT_EQ(brief({ask(v1Client, R"({"id":1,"cmd":"join","group":)" + name + "}")})[0],
            "name_reserved");
  EXPECT_EQ(
      brief({ask(v1Client, R"({"id":2,"cmd":"send","message":"m","group":)" + name + "}")})[0],
      "name_reserved");
  EXPECT_THAT(ask(plain, R"({"cmd":"add_group","group_id":)" + name + "}"),
              HasSubstr("name_reserved"));
  EXPECT_EQ(brief({ask(v1Client, R"({"id":3,"cmd":"join","to":"ada"})")})[0], "wrong_type");
  EXPECT_EQ(brief({ask(v1Client, R"({"id":4,"cmd":"join","to":"all","group":"a"})")})[0],
            "wrong_type");
}

}  // namespace
}  // namespace stormo::server
