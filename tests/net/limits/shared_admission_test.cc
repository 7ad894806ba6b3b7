#include "net/limits/shared_admission.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace stormo::net {
namespace {

using namespace std::chrono_literals;

const std::uint64_t kKey = 0x1234'5678'9abc'def0;
const Limits kPerAddress{.connectionsPerAddress = {.max = 10}};

/// Runs `body` in another process.
template <typename Body>
void fork(Body body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_EQ(status, 0);
}

TEST(SharedAdmission, AddsWhatAllProcessesCount) {
  SharedAdmission shared(kPerAddress, 3, 1000);
  EXPECT_EQ(shared.add(0), 1u);
  fork([&] {
    shared.add(2);
    shared.addAddress(2, kKey);
    shared.addAddress(2, kKey);
  });
  EXPECT_EQ(shared.add(0), 3u);
  EXPECT_EQ(shared.addAddress(1, kKey), 3u);
  shared.subtract(0);
  shared.subtractAddress(1, kKey);
  EXPECT_EQ(shared.add(1), 3u);
  EXPECT_EQ(shared.addAddress(0, kKey), 3u);
}

TEST(SharedAdmission, GivesBackThePartOfAProcessThatHasEnded) {
  SharedAdmission shared(kPerAddress, 2, 1000);
  shared.add(0);
  shared.addAddress(0, kKey);
  fork([&] {
    for (int i = 0; i < 5; ++i) shared.add(1);
    for (int i = 0; i < 5; ++i) shared.addAddress(1, kKey);
  });
  shared.release(1);
  EXPECT_EQ(shared.add(0), 2u);
  EXPECT_EQ(shared.addAddress(0, kKey), 2u);
  EXPECT_EQ(shared.addAddress(1, kKey), 3u) << "the part is used again";
}

TEST(SharedAdmission, UsersAreCountedApartFromAddresses) {
  SharedAdmission shared({.connectionsPerAddress = {.max = 1}, .connectionsPerUser = {.max = 1}}, 2,
                         1000);
  EXPECT_EQ(shared.addUser(0, kKey), 1u);
  EXPECT_EQ(shared.addAddress(0, kKey), 1u);
  fork([&] { shared.addUser(1, kKey); });
  EXPECT_EQ(shared.addUser(0, kKey), 3u);
  shared.release(1);
  shared.subtractUser(0, kKey);
  EXPECT_EQ(shared.addUser(0, kKey), 2u);
  EXPECT_EQ(shared.addAddress(1, kKey), 2u);
}

TEST(SharedAdmission, TheRateIsOneForAllProcesses) {
  SharedAdmission shared({.connectionsPerSecond = {.max = 10}}, 2, 1000);
  const TimePoint now{1h};
  fork([&] {
    for (int i = 0; i < 4; ++i) {
      if (!shared.takeFromRate(now)) ::_exit(1);
    }
  });
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(shared.takeFromRate(now)) << i;
  EXPECT_FALSE(shared.takeFromRate(now));
  EXPECT_FALSE(shared.takeFromRate(now + 99ms));
  EXPECT_TRUE(shared.takeFromRate(now + 100ms));
  EXPECT_FALSE(shared.takeFromRate(now + 100ms));
}

}  // namespace
}  // namespace stormo::net
