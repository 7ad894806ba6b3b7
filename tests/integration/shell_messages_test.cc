// `stormo pub` and `stormo sub`, as a person uses them.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "integration/harness/shell_outcome.h"
#include "integration/harness/with_api.h"

namespace stormo::integration {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class ShellMessages : public WithApi {
 protected:
  static Words linesOf(const std::string& text) {
    Words lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  /// Of lines "OFFSET …".
  static std::vector<std::uint64_t> offsetsOf(const Words& lines) {
    std::vector<std::uint64_t> offsets;
    for (const std::string& line : lines) offsets.push_back(std::stoull(line));
    return offsets;
  }
  static std::string withoutOffset(const std::string& line) {
    return line.substr(line.find(' ') + 1);
  }
  static Words textsOf(const Words& lines) {
    Words texts;
    for (const std::string& line : lines) texts.push_back(withoutOffset(line));
    return texts;
  }
  /// For a command of a shell.
  [[nodiscard]] std::string runtimeDirectory() const {
    return " --runtime-dir '" + stormo.folder() + "/run'";
  }
  /// A command with that stdin, by way of a shell.
  std::unique_ptr<SpawnedProgram> beginWithInput(const std::string& input, const Words& words) {
    std::string line = "exec '" STORMO_BIN_DIR "/stormo'";
    for (const std::string& word : words) line += " '" + word + "'";
    line += runtimeDirectory() + " < '" + input + "'";
    return std::make_unique<SpawnedProgram>(deadline, Words{"sh", "-c", line});
  }
  Outcome runWithInput(const std::string& content, const Words& words) {
    return beginWithInput(file("input", content), words)->waitForEnd();
  }
  /// A `sub` that receives what is sent from now on.
  std::unique_ptr<SpawnedProgram> beginSub(const Words& words, const std::string& group) {
    Words line = {"sub"};
    line.insert(line.end(), words.begin(), words.end());
    auto sub = stormo.begin(line);
    const auto isThere = [&] {
      stormo.succeed({"pub", group, "are you there?"});
      return sub->output().find("are you there?") != std::string::npos;
    };
    EXPECT_TRUE(test::eventually(deadline, isThere)) << sub->errors();
    return sub;
  }
  /// What a `sub` has printed up to `last`, without the questions of beginSub().
  static Words printedThrough(SpawnedProgram& sub, const std::string& last) {
    sub.waitForOutput(last);
    Words lines = linesOf(sub.output());
    std::erase_if(lines, [](const std::string& line) { return line.ends_with("there?"); });
    return lines;
  }
};

TEST_F(ShellMessages, PubPublishesItsArgumentAndPrintsThePositionOnRequest) {
  startStormo();
  const std::vector<Id> members = membersOnDifferentWorkers("news");
  const Outcome quiet = stormo.run({"pub", "news", "hello \"all\""});
  EXPECT_EQ(quiet.status, 0);
  EXPECT_THAT(quiet.output + quiet.errors, IsEmpty());
  const Outcome shown = stormo.run({"pub", "news", "", "--json"});
  EXPECT_EQ(shown.status, 0) << shown.errors;
  EXPECT_THAT(shown.output,
              MatchesRegex("\\{\"epoch\":\"[0-9a-f]{16}\",\"offset\":[1-9][0-9]*\\}\n"));
  for (const Id id : members) {
    clients().waitForMessages(id, 2);
    EXPECT_THAT(clients()[id].texts(), ElementsAre("hello \"all\"", ""));
  }
}

TEST_F(ShellMessages, PubPublishesEachLineOfStdinOnceAndInOrder) {
  startStormo();
  const Id id = clients().connect();
  clients().join(id, "news");
  const Outcome lines =
      runWithInput("one\n\nthree\nlast without an end", {"pub", "news", "--json"});
  EXPECT_EQ(lines.status, 0) << lines.errors;
  EXPECT_EQ(linesOf(lines.output).size(), 4u) << lines.output;
  clients().waitForMessages(id, 4);
  EXPECT_THAT(clients()[id].texts(), ElementsAre("one", "", "three", "last without an end"));
  clients().clear(id);
  std::string many;
  constexpr std::size_t kMany = 20'000;
  for (std::size_t i = 0; i < kMany; ++i) many += std::to_string(i) + '\n';
  EXPECT_EQ(runWithInput(many, {"pub", "news"}).status, 0);
  clients().waitForMessages(id, kMany);
  EXPECT_EQ(clients()[id].texts(), linesOf(many));
  const Outcome empty = runWithInput("", {"pub", "news"});
  EXPECT_EQ(empty.status, 0);
  EXPECT_THAT(empty.output + empty.errors, IsEmpty());
}

TEST_F(ShellMessages, PubPublishesALineWhenItComesAlsoOverAKilledChannel) {
  startStormo();
  const Id id = clients().connect();
  clients().join(id, "news");
  const std::string pipe = stormo.folder() + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto pub = beginWithInput(pipe, {"pub", "news"});
  std::fstream input(pipe);  // for both directions, so that it does not wait for the reader
  for (int i = 0; i < 4; ++i) {
    input << "line " << i << std::endl;
    // Though stdin has not ended:
    clients().waitForMessages(id, static_cast<std::size_t>(i + 1));
    if (i == 1) ::kill(channelPid(), SIGKILL);
  }
  input.close();
  EXPECT_EQ(pub->waitForEnd().status, 0) << pub->errors();
  EXPECT_THAT(clients()[id].texts(), ElementsAre("line 0", "line 1", "line 2", "line 3"));
}

TEST_F(ShellMessages, PubNamesALineThatIsTooLongAndPublishesThoseBefore) {
  startStormo();
  const Id id = clients().connect();
  clients().join(id, "news");
  const std::string tooLong(11 << 20, 'x');
  for (const char* end : {"\nafter\n", ""}) {
    const Outcome outcome = runWithInput("before\n" + tooLong + end, {"pub", "news"});
    expectOneLine(outcome, 1,
                  "stormo pub: message 2 is longer than the Channel accepts, 10485760 bytes; those "
                  "before it were published");
  }
  stormo.succeed({"pub", "news", "last"});
  clients().waitForMessages(id, 3);
  EXPECT_THAT(clients()[id].texts(), ElementsAre("before", "before", "last"));
}

TEST_F(ShellMessages, SubPrintsMessagesWithTheirOffsets) {
  startStormo();
  const auto sub = beginSub({"news"}, "news");
  for (const char* text : {"one", "two\nlines \x1b[0m", "last"}) {
    stormo.succeed({"pub", "news", text});
  }
  const Words lines = printedThrough(*sub, "last\n");
  EXPECT_THAT(textsOf(lines), ElementsAre("one", R"(two\x0alines \x1b[0m)", "last"));
  const auto offsets = offsetsOf(lines);
  EXPECT_TRUE(offsets[0] < offsets[1] && offsets[1] < offsets[2]) << sub->output();
  EXPECT_THAT(sub->errors(), IsEmpty());
  sub->signal(SIGINT);
  EXPECT_EQ(sub->waitForEnd().status, 128 + SIGINT);
}

TEST_F(ShellMessages, SubOfSeveralGroupsNamesThemAndEndsAfterACount) {
  startWithApi();
  const auto sub = beginSub({"a", "b"}, "a");
  stormo.succeed({"pub", "b", "of b"});
  stormo.succeed({"pub", "c", "of c"});
  stormo.succeed({"pub", "a", "of a"});
  EXPECT_THAT(printedThrough(*sub, "of a\n"),
              ElementsAre(MatchesRegex("b [0-9]+ of b"), MatchesRegex("a [0-9]+ of a")));
  const auto two = beginSub({"a", "--json", "--count", "3"}, "a");
  call("POST /v1/publish", R"({"group":"a","message":{"n":2}})");
  call("POST /v1/publish", R"({"group":"a","binary":"AAEC"})");
  while (!two->statusIfEnded()) stormo.succeed({"pub", "a", "more"});
  const Outcome ended = two->waitForEnd();
  EXPECT_EQ(ended.status, 0) << ended.errors;
  const Words lines = linesOf(ended.output);
  ASSERT_EQ(lines.size(), 3u) << ended.output;
  EXPECT_THAT(lines[0],
              MatchesRegex(R"(\{"group":"a","offset":[0-9]+,"message":"are you there\?"\})"));
  EXPECT_EQ(Json::parse(lines.back()).at("group"), "a");
}

TEST_F(ShellMessages, SubPrintsTheHistorySinceAnOffset) {
  startStormo({"--workers", "2", "--history-groups", "kept.*", "--history-messages", "3"});
  std::vector<std::uint64_t> offsets;
  for (const char* text : {"1", "2", "3", "4"}) {
    const Json at = Json::parse(stormo.succeed({"pub", "kept.a", text, "--json"}));
    offsets.push_back(at.at("offset"));
  }
  const std::string since = std::to_string(offsets[1]);
  const Outcome two = stormo.run({"sub", "kept.a", "--since", since, "-n", "2"});
  EXPECT_EQ(two.status, 0) << two.errors;
  EXPECT_THAT(two.errors, IsEmpty());
  EXPECT_EQ(two.output, std::to_string(offsets[2]) + " 3\n" + std::to_string(offsets[3]) + " 4\n");
  // The first one is no longer kept.
  const Outcome all = stormo.run({"sub", "kept.a", "--since", "0", "-n", "3", "--json"});
  EXPECT_EQ(all.status, 0);
  EXPECT_EQ(all.errors, "stormo sub: earlier messages of kept.a are missing\n");
  EXPECT_THAT(linesOf(all.output),
              ElementsAre(HasSubstr(R"("message":"2")"), HasSubstr(R"("message":"3")"),
                          HasSubstr(R"("message":"4")")));
  // After the Channel was killed it is the same history.
  stormo.killAndAwaitSuccessor(channelPid());
  EXPECT_EQ(stormo.run({"sub", "kept.a", "--since", since, "-n", "2"}).output, two.output);
}

TEST_F(ShellMessages, SubSinceAnOffsetPrintsEachMessageOnceThoughOthersPublishMeanwhile) {
  startStormo({"--workers", "1", "--history-groups", "kept.*"});
  const std::string numbers =
      "seq 1 1000000000 | '" STORMO_BIN_DIR "/stormo' pub kept.a" + runtimeDirectory();
  SpawnedProgram publisher(deadline, {"sh", "-c", numbers});
  for (int i = 0; i < 6; ++i) {
    // The history, and some that come after it.
    const Outcome some = stormo.run({"sub", "kept.a", "--since", "0", "-n", "1000"});
    const Words texts = textsOf(linesOf(some.output));
    ASSERT_EQ(texts.size(), 1000u);
    for (std::size_t k = 0; k < texts.size(); ++k) {
      ASSERT_EQ(std::stoull(texts[k]), std::stoull(texts[0]) + k) << some.output;
    }
  }
  publisher.signalGroup(SIGKILL);
  publisher.waitForEnd();
}

TEST_F(ShellMessages, SubMissesNothingWhileTheChannelIsKilled) {
  startStormo({"--workers", "1", "--history-groups", "*"});
  const auto sub = beginSub({"news"}, "news");
  for (int i = 0; i < 3; ++i) {
    stormo.succeed({"pub", "news", "before " + std::to_string(i)});
    stormo.killAndAwaitSuccessor(channelPid());
    stormo.succeed({"pub", "news", "after " + std::to_string(i)});
  }
  EXPECT_THAT(textsOf(printedThrough(*sub, "after 2\n")),
              ElementsAre("before 0", "after 0", "before 1", "after 1", "before 2", "after 2"));
  EXPECT_THAT(sub->errors(), Not(HasSubstr("missing")));
}

TEST_F(ShellMessages, SubEndsWhenItsReaderEnds) {
  startStormo();
  const std::string line =
      "'" STORMO_BIN_DIR "/stormo' sub news" + runtimeDirectory() + " | head -n 1";
  SpawnedProgram pipeline(deadline, {"sh", "-c", line});
  EXPECT_TRUE(test::eventually(deadline, [&] {
    stormo.succeed({"pub", "news", "x"});
    return pipeline.statusIfEnded().has_value();
  }));
  EXPECT_THAT(linesOf(pipeline.waitForEnd().output), ElementsAre(MatchesRegex("[0-9]+ x")));
}

TEST_F(ShellMessages, WrongWordsGetALineThatNamesThem) {
  startStormo();
  const std::string name = "a group's name has 1 to 255 bytes, and no zero byte at its start";
  expectWrongWords(stormo.run({"pub"}), "group is required");
  expectWrongWords(stormo.run({"pub", "a", "b", "c"}),
                   "The following argument was not expected: c");
  expectOneLine(stormo.run({"pub", "", "x"}), 2, "stormo pub: " + name);
  expectOneLine(stormo.run({"pub", std::string(256, 'a'), "x"}), 2, "stormo pub: " + name);
  expectWrongWords(stormo.run({"sub"}), "groups is required");
  expectOneLine(stormo.run({"sub", "a", ""}), 2, "stormo sub: " + name);
  expectWrongWords(stormo.run({"sub", "a", "--since", "x"}), "Could not convert: --since = x");
  expectWrongWords(stormo.run({"sub", "a", "--since", "-1"}), "--since: -1 is negative");
  expectWrongWords(stormo.run({"sub", "a", "-n", "-1"}), "--count: -1 is negative");
  for (const char* command : {"pub", "sub"}) {
    const Outcome help = stormo.run({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.output, AllOf(HasSubstr("Usage: stormo " + std::string(command)),
                                   HasSubstr("--instance"), HasSubstr("--channel-secret-file")));
  }
}

TEST_F(ShellMessages, WithoutARunningInstanceTheLineStatesWhatToDo) {
  const std::string place = " in " + stormo.folder() + "/run does not run ";
  const Words commands[] = {{"pub", "a", "b"}, {"sub", "a"}};
  for (const Words& words : commands) {
    expectOneLine(stormo.run(words), 1,
                  "stormo " + words[0] + ": instance 'stormo'" + place +
                      "(stormo start; or name another with --instance)");
  }
  expectOneLine(stormo.run({"pub", "a", "b", "--channel", "http://x"}), 2,
                "stormo pub: bad address 'http://x': no port (write scheme://host:port, "
                "scheme://[v6]:port or unix:///path)");
}

TEST_F(ShellMessages, WithoutAnAnswerOfTheChannelTheyEndWithAnError) {
  startStormo();
  const pid_t channel = channelPid();
  ::kill(channel, SIGSTOP);
  const auto sub = stormo.begin({"sub", "a"});
  const Outcome pub = stormo.run({"pub", "a", "b"});
  EXPECT_EQ(pub.status, 1);
  EXPECT_THAT(pub.errors, AllOf(StartsWith("stormo pub: no link to the Channel at unix://"),
                                HasSubstr(" within 5 s\n")));
  EXPECT_EQ(sub->waitForEnd().status, 1);
  EXPECT_THAT(sub->errors(), StartsWith("stormo sub: no link to the Channel at unix://"));
  ::kill(channel, SIGCONT);
}

}  // namespace
}  // namespace stormo::integration
