#include "config/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <stdexcept>

namespace stormo::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Environment environmentOf(const std::vector<std::string>& variables) {
  std::vector<const char*> pointers;
  for (const std::string& variable : variables) pointers.push_back(variable.c_str());
  pointers.push_back(nullptr);
  return Environment(pointers.data());
}

std::string complaintOf(const std::string& variable) {
  Settings settings;
  try {
    environmentOf({variable}).apply(settings);
  } catch (const std::invalid_argument& wrong) {
    return wrong.what();
  }
  return "";
}

TEST(Environment, EverySettingHasAVariableOfItsOwn) {
  std::set<std::string> names;
  for (const SettingSpec& spec : settingSpecs()) {
    const std::string name = variableOf(spec);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), name.npos) << name;
    EXPECT_THAT(environmentOf({name + "=1"}).warnings(), IsEmpty()) << name;
  }
  EXPECT_TRUE(names.contains("STORMO_LISTEN"));
  EXPECT_TRUE(names.contains("STORMO_SOCKET_MODE"));
  EXPECT_TRUE(names.contains("STORMO_LIMITS_MESSAGE_BYTES"));
}

TEST(Environment, VariablesOfEveryTypeAreApplied) {
  Settings settings;
  environmentOf({"STORMO_LISTEN=websocket://[::1]:99, unix:///run/s,", "STORMO_WORKERS=7",
                 "STORMO_WEBSOCKET_PAGE=off", "STORMO_WEBSOCKET_PING_INTERVAL=0",
                 "STORMO_USER=nobody", "PATH=/bin", "STORMO_LOG_LEVEL=debug"})
      .apply(settings);
  EXPECT_THAT(settings.listen, ElementsAre("websocket://[::1]:99", "unix:///run/s"));
  EXPECT_EQ(settings.workers, 7u);
  EXPECT_FALSE(settings.page);
  EXPECT_EQ(settings.pingInterval, std::chrono::seconds(0));
  EXPECT_EQ(settings.user, "nobody");
  EXPECT_EQ(settings.logLevel, "debug");
}

TEST(Environment, AnEmptyVariableCountsAsNotSet) {
  Settings settings;
  settings.user = "nobody";
  environmentOf({"STORMO_USER=", "STORMO_WORKERS=", "STORMO_LISTEN="}).apply(settings);
  EXPECT_EQ(settings.user, "nobody");
  EXPECT_EQ(settings.listen, Settings{}.listen);
}

TEST(Environment, AWrongValueIsReportedWithItsVariable) {
  EXPECT_EQ(complaintOf("STORMO_WORKERS=many"), "STORMO_WORKERS: 'many' is not a number");
  EXPECT_EQ(complaintOf("STORMO_WEBSOCKET_PAGE=maybe"),
            "STORMO_WEBSOCKET_PAGE: 'maybe' is neither true nor false");
  EXPECT_EQ(complaintOf("STORMO_LIMITS_MESSAGE_BYTES=0"),
            "STORMO_LIMITS_MESSAGE_BYTES: must be at least 1");
  EXPECT_EQ(complaintOf("STORMO_LISTEN=,"), "STORMO_LISTEN: must be at least one address");
}

TEST(Environment, UnknownVariablesAreWarnedAboutWithTheNearestName) {
  EXPECT_THAT(environmentOf({"STORMO_LIMITS_MESAGE_BYTES=1", "STORMO_SOMETHING_ELSE=1"}).warnings(),
              ElementsAre("the environment variable STORMO_LIMITS_MESAGE_BYTES is none of Stormo's "
                          "and has no effect (did you mean STORMO_LIMITS_MESSAGE_BYTES?)",
                          "the environment variable STORMO_SOMETHING_ELSE is none of Stormo's and "
                          "has no effect"));
  EXPECT_THAT(environmentOf({"STORMO_RUNTIMEDIR=/run"}).warnings(),
              ElementsAre(testing::HasSubstr("did you mean STORMO_RUNTIME_DIR?")));
  EXPECT_THAT(environmentOf({"STORMO_RUNTIME_DIR=/run", "STORMO=x", "OTHER=1"}).warnings(),
              IsEmpty());
}

TEST(Environment, VariablesThatKubernetesSetsForAServiceAreNotWarnedAbout) {
  EXPECT_THAT(environmentOf({"STORMO_SERVICE_HOST=10.0.0.1", "STORMO_SERVICE_PORT=1234",
                             "STORMO_SERVICE_PORT_CLIENTS=1234", "STORMO_PORT=tcp://10.0.0.1:1234",
                             "STORMO_PORT_1234_TCP=tcp://10.0.0.1:1234",
                             "STORMO_PORT_1234_TCP_ADDR=10.0.0.1", "STORMO_CHAT_SERVICE_HOST=x"})
                  .warnings(),
              IsEmpty());
}

TEST(Environment, NamesOfFilesBecomeAbsolute) {
  Settings settings;
  environmentOf({"STORMO_TLS_CERT=certificates/../a.crt,/b.crt"}).apply(settings);
  EXPECT_EQ(settings.tlsCertificates.at(0), std::filesystem::current_path() / "a.crt");
  EXPECT_EQ(settings.tlsCertificates.at(1), "/b.crt");
}

TEST(Environment, RulesForSlowClientsAreAList) {
  Settings settings;
  environmentOf({"STORMO_SLOW=ticker.*=latest:100, news=drop-oldest"}).apply(settings);
  ASSERT_EQ(settings.slow.size(), 2u);
  EXPECT_EQ(settings.slow[1].groups, "news");
}

TEST(Environment, AChannelAloneTakesItsOwnSettingsOnly) {
  Settings settings;
  const Environment environment = environmentOf(
      {"STORMO_LIMITS_MESSAGE_BYTES=4096", "STORMO_WORKERS=many", "STORMO_LOG_FORMAT=json"});
  environment.apply(settings, true);
  EXPECT_EQ(settings.messageBytesMax, 4096u);
  EXPECT_EQ(settings.logFormat, "json");
}

}  // namespace
}  // namespace stormo::config
