#include "process/service_manager.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "support/temp_directory.h"
#include "sys/address.h"
#include "sys/unique_fd.h"

namespace stormo::process {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;
using testing::MatchesRegex;

/// The socket of a service manager.
struct Notified : testing::Test {
  Notified() {
    const Address address = Address::unixPath(folder.file("notify")).value();
    EXPECT_EQ(::bind(socket.get(), address.raw(), address.size()), 0);
    ::setenv("NOTIFY_SOCKET", folder.file("notify").c_str(), 1);
  }
  ~Notified() override { ::unsetenv("NOTIFY_SOCKET"); }

  /// Empty if there is none.
  [[nodiscard]] std::string next() const {
    char text[512];
    const ssize_t size = ::recv(socket.get(), text, sizeof text, MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text, static_cast<std::size_t>(size));
  }

  test::TempDirectory folder;
  UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
};

TEST_F(Notified, OfEachStateInTheFormOfSdNotify) {
  ServiceManager manager = ServiceManager::fromEnvironment();
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  manager.ready("workers: 2");
  EXPECT_EQ(next(), "READY=1\nSTATUS=workers: 2");
  manager.reloading();
  EXPECT_THAT(next(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*\nSTATUS=Reloading"));
  manager.stopping();
  EXPECT_THAT(next(), HasSubstr("STOPPING=1\n"));
  manager.aliveNow();
  EXPECT_EQ(next(), "WATCHDOG=1");
}

TEST_F(Notified, OfAStatusOnlyWhenItChanges) {
  ServiceManager manager = ServiceManager::fromEnvironment();
  manager.ready("workers: 2");
  EXPECT_NE(next(), "");
  manager.status("workers: 2");
  EXPECT_EQ(next(), "");
  manager.status("workers: 3");
  EXPECT_EQ(next(), "STATUS=workers: 3");
}

TEST(ServiceManager, TheWatchdogIsForTheProcessThatItNames) {
  const auto intervalFor = [](const std::string& pid) {
    ::setenv("WATCHDOG_USEC", "3000000", 1);
    ::setenv("WATCHDOG_PID", pid.c_str(), 1);
    return ServiceManager::fromEnvironment().watchdog();
  };
  EXPECT_EQ(intervalFor(std::to_string(::getpid())), microseconds(3'000'000));
  EXPECT_EQ(intervalFor("1"), microseconds(0));
  EXPECT_EQ(std::getenv("WATCHDOG_USEC"), nullptr);
  EXPECT_EQ(ServiceManager::fromEnvironment().watchdog(), microseconds(0));
}

TEST(PidFile, HasThePidWhileItLivesAndIsThenRemoved) {
  const test::TempDirectory folder;
  const std::string path = folder.file("pid");
  {
    const PidFile file(path);
    std::ifstream text(path);
    pid_t pid = 0;
    EXPECT_TRUE(text >> pid);
    EXPECT_EQ(pid, ::getpid());
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  {
    const PidFile file(path);
    std::ofstream(path) << "1\n";  // another process has replaced it
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_THROW(PidFile(folder.file("no/such/folder")), std::runtime_error);
}

}  // namespace
}  // namespace stormo::process
