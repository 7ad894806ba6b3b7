// The completions, as bash and zsh use them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "config/settings.h"
#include "package/checked_file.h"
#include "support/temp_directory.h"

namespace stormo::package {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

constexpr const char* kComplete = R"(
source "$1"; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_stormo
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
)";

/// What bash offers for the last of these words. An empty list: names of files.
std::vector<std::string> completed(const test::Words& words) {
  static const std::string kScript = printed("bash-completion");
  const test::TempDirectory folder;
  write(folder.path() + "/stormo", kScript);
  test::Words command = {"bash",  "--norc", "-c", kComplete, "bash", folder.path() + "/stormo",
                         "stormo"};
  command.insert(command.end(), words.begin(), words.end());
  const test::Outcome outcome = run(command);
  EXPECT_EQ(outcome.errors, "");
  return linesOf(outcome.output);
}

TEST(BashCompletion, CompletesCommands) {
  EXPECT_THAT(completed({"re"}),
              UnorderedElementsAre("restart", "reload", "reload-tls", "reopen-log"));
  EXPECT_THAT(completed({""}), AllOf(Contains("start"), Contains("channel"), Contains("print")));
  EXPECT_THAT(completed({"--instance", "start", "st"}),
              UnorderedElementsAre("start", "stop", "status"));
  EXPECT_THAT(completed({"--instance", "=", "start", "st"}),
              UnorderedElementsAre("start", "stop", "status"));
  EXPECT_THAT(completed({"channel", "st"}), UnorderedElementsAre("start", "stop", "status"));
}

TEST(BashCompletion, CompletesTheOptionsOfTheCommand) {
  EXPECT_THAT(completed({"start", "--work"}), ElementsAre("--workers"));
  EXPECT_THAT(completed({"bench", "--mem"}), ElementsAre("--members"));
  EXPECT_THAT(completed({"status", "-"}), AllOf(Contains("--json"), Contains("--instance")));
  EXPECT_THAT(completed({"status", "-"}), Not(Contains("--workers")));
  EXPECT_THAT(completed({"channel", "start", "--op"}), ElementsAre("--open"));
}

TEST(BashCompletion, CompletesEverySetting) {
  const std::vector<std::string> offered = completed({"start", "--"});
  for (const config::SettingSpec& spec : config::settingSpecs()) {
    EXPECT_THAT(offered, Contains(spec.flag));
  }
}

TEST(BashCompletion, CompletesValuesThatAreKnownAndFilesElsewhere) {
  EXPECT_THAT(completed({"start", "--log-level", ""}),
              ElementsAre("error", "warning", "info", "debug"));
  // As bash splits --log-level=de and --page=
  EXPECT_THAT(completed({"start", "--log-level", "=", "de"}), ElementsAre("debug"));
  EXPECT_THAT(completed({"start", "--page", "="}), ElementsAre("true", "false"));
  EXPECT_THAT(completed({"start", "--page", ""}), ElementsAre("true", "false"));
  EXPECT_THAT(completed({"start", "--page", "--work"}), ElementsAre("--workers"));
  EXPECT_THAT(completed({"start", "--config", "/etc"}), IsEmpty());
  EXPECT_THAT(completed({"check-config", "st"}), IsEmpty());
}

TEST(ZshCompletion, OffersCommandsOptionsAndValues) {
  if (!isHere("zsh")) GTEST_SKIP() << "no zsh here";
  const test::TempDirectory folder;
  write(folder.path() + "/_stormo", printed("zsh-completion"));
  // Types a line into an interactive zsh on a pseudo terminal, and prints what Tab shows.
  write(folder.path() + "/complete.zsh", R"(zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= ; fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $1/dump"
zpty -w shell "zstyle ':completion:*' list-prompt ''; bindkey '^I' list-choices; LISTMAX=1000"
zpty -w shell "print REA''DY"
zpty -r -m shell line '*READY*'
zpty -w -n shell "$2"$'\t'
zpty -w -n shell $'\C-u'"print DO''NE"$'\n'
zpty -r -m shell line '*DONE*'
print -r -- "$line"
zpty -d shell
)");
  const auto offered = [&](const std::string& line) {
    return run({"zsh", "-f", folder.path() + "/complete.zsh", folder.path(), "stormo " + line})
        .output;
  };
  EXPECT_THAT(offered("re"), AllOf(testing::HasSubstr("reload"), testing::HasSubstr("reopen-log")));
  EXPECT_THAT(offered("start --chan"), testing::HasSubstr("--channel-listen"));
  EXPECT_THAT(offered("start --log-level "), testing::HasSubstr("warning"));
  EXPECT_THAT(offered("start --page --chan"), testing::HasSubstr("--channel-listen"));
  EXPECT_THAT(offered("channel start --o"), testing::HasSubstr("without a secret"));
}

}  // namespace
}  // namespace stormo::package
