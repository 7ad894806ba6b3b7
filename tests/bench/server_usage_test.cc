#include "bench/server_usage.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "support/temp_directory.h"
#include "sys/sockets.h"

namespace stormo::bench {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

UniqueFd listenHere() { return std::move(*listenOn(*Address::ip("127.0.0.1", 0))); }

/// A child of this process that does nothing until it is destroyed. Its only open file is its end
/// of a pipe.
class IdleChild {
 public:
  IdleChild() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[0], 0);
      ::close_range(1, ~0U, 0);
      char none = 0;
      ::_exit(static_cast<int>(::read(0, &none, 1)));
    }
    ::close(ends[0]);
    end_.reset(ends[1]);
  }
  ~IdleChild() {
    end_.reset();
    ::waitpid(pid_, nullptr, 0);
  }
  IdleChild(const IdleChild&) = delete;
  IdleChild& operator=(const IdleChild&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
  UniqueFd end_;  // the child ends when this is closed
};

TEST(ServerUsage, FindsTheListeningProcess) {
  const UniqueFd socket = listenHere();
  const ServerUsage usage = ServerUsage::listeningOn(localAddress(socket.get()));
  EXPECT_THAT(usage.pids(), ElementsAre(::getpid()));
}

TEST(ServerUsage, FindsTheListeningProcessOnIpv6) {
  auto socket = listenOn(*Address::ip("::1", 0));
  if (!socket) GTEST_SKIP() << "no IPv6 here";
  const ServerUsage usage = ServerUsage::listeningOn(localAddress(socket->get()));
  EXPECT_THAT(usage.pids(), ElementsAre(::getpid()));
}

TEST(ServerUsage, FindsNoProcessOnAnUnusedPort) {
  UniqueFd socket = listenHere();
  const Address address = localAddress(socket.get());
  socket.reset();
  const ServerUsage usage = ServerUsage::listeningOn(address);
  EXPECT_THAT(usage.pids(), IsEmpty());
  EXPECT_EQ(usage.cpuTime(), milliseconds(0));
  EXPECT_EQ(usage.memoryBytes(), 0u);
}

TEST(ServerUsage, FindsNoProcessForUnixSocketsAndOtherMachines) {
  const test::TempDirectory folder;
  const Address address = *Address::unixPath(folder.file("socket"));
  const UniqueFd socket = std::move(*listenOn(address));
  EXPECT_THAT(ServerUsage::listeningOn(address).pids(), IsEmpty());

  const UniqueFd here = listenHere();
  const Address there = *Address::ip("203.0.113.7", localAddress(here.get()).port());
  EXPECT_THAT(ServerUsage::listeningOn(there).pids(), IsEmpty());
}

TEST(ServerUsage, IncludesDescendantsOfTheListeningProcess) {
  const IdleChild child;  // it has no listening socket itself
  const UniqueFd socket = listenHere();
  const ServerUsage usage = ServerUsage::listeningOn(localAddress(socket.get()));
  EXPECT_THAT(usage.pids(), UnorderedElementsAre(::getpid(), child.pid()));
}

TEST(ServerUsage, IncludesDescendantsButNotTheParent) {
  const IdleChild child;
  const IdleChild sibling;
  EXPECT_THAT(ServerUsage::of(::getpid()).pids(),
              UnorderedElementsAre(::getpid(), child.pid(), sibling.pid()));
  EXPECT_THAT(ServerUsage::of(child.pid()).pids(), ElementsAre(child.pid()));
}

TEST(ServerUsage, EveryProcessHasMemory) {
  const IdleChild child;
  EXPECT_GT(ServerUsage::of(::getpid()).memoryBytes(), 0u);
  EXPECT_GT(ServerUsage::of(child.pid()).memoryBytes(), 0u);
}

TEST(ServerUsage, CpuTimeNeverDecreases) {
  const ServerUsage usage = ServerUsage::of(::getpid());
  const milliseconds began = usage.cpuTime();
  milliseconds last = began;
  while (last == began) {  // its clock ticks 100 times a second
    const milliseconds now = usage.cpuTime();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(ServerUsage, NamesEachProcessWithItsCpuTime) {
  const IdleChild child;
  const ServerUsage usage = ServerUsage::of(::getpid());
  while (usage.cpuTime() < milliseconds(100)) {
  }
  const std::string name(::program_invocation_short_name);
  for (const ServerUsage::Process& process : usage.processes()) {
    EXPECT_EQ(process.name, name.substr(0, 15));  // the kernel keeps no more
    EXPECT_EQ(process.cpuTime < milliseconds(50), process.pid == child.pid());
  }
}

TEST(ServerUsage, EndedProcessesAreNotIncluded) {
  auto child = std::make_unique<IdleChild>();
  const ServerUsage usage = ServerUsage::of(child->pid());
  child.reset();
  EXPECT_EQ(usage.processes().front().name, "");
  EXPECT_EQ(usage.cpuTime(), milliseconds(0));
  EXPECT_EQ(usage.memoryBytes(), 0u);
}

}  // namespace
}  // namespace stormo::bench
