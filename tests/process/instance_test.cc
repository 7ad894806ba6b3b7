#include "process/instance.h"

#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "process/check_program.h"
#include "process/listen_sockets.h"
#include "support/temp_directory.h"
#include "sys/sockets.h"

namespace stormo::process {
namespace {

using testing::HasSubstr;

template <typename Call>
std::string complaintOf(Call call) {
  try {
    call();
  } catch (const std::exception& thrown) {
    return thrown.what();
  }
  return "";
}

TEST(Instance, RuntimeDirectoryComesFromTheOptionThenTheEnvironment) {
  ::setenv("STORMO_RUNTIME_DIR", "/from/environment", 1);
  EXPECT_EQ(runtimeDirectory("/from/option/"), "/from/option/");
  EXPECT_EQ(runtimeDirectory(""), "/from/environment");
  ::unsetenv("STORMO_RUNTIME_DIR");
  EXPECT_EQ(runtimeDirectory(""), defaultRuntimeDirectory());
}

TEST(Instance, DefaultDirectoryDoesNotDependOnTheEnvironment) {
  const std::string byDefault = defaultRuntimeDirectory();
  ::setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
  ::setenv("XDG_STATE_HOME", "/elsewhere", 1);
  ::setenv("HOME", "/nowhere", 1);
  EXPECT_EQ(runtimeDirectory(""), byDefault);
  for (const char* name : {"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "HOME"}) ::unsetenv(name);
  EXPECT_EQ(runtimeDirectory(""), byDefault);
  // A logout deletes /run/user, and a clean-up deletes /tmp.
  EXPECT_FALSE(byDefault.starts_with("/run/") || byDefault.starts_with("/tmp/")) << byDefault;
}

TEST(Instance, NameMustBeAPlainWord) {
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "/a"}) {
    EXPECT_THAT(complaintOf([&] { Instance("/tmp/x", name); }), HasSubstr("invalid instance name"))
        << name;
  }
  EXPECT_EQ(complaintOf([] { Instance("/tmp/x", "chat-2"); }), "");
}

TEST(Instance, RejectsAPathTooLongForAUnixSocket) {
  const std::string complaint = complaintOf([] { Instance('/' + std::string(100, 'd'), "chat"); });
  EXPECT_THAT(complaint, HasSubstr("longer than the 107 bytes of a unix socket"));
  EXPECT_THAT(complaint, HasSubstr("--runtime-dir"));
}

TEST(Instance, OnlyTheOwnerCanWriteTheDirectory) {
  const test::TempDirectory temp;
  const Instance instance(temp.file("run"), "chat");
  instance.createDirectory();
  instance.createDirectory();  // it may exist
  struct stat found {};
  ASSERT_EQ(::stat(instance.directory().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 066, 0u);
}

TEST(Instance, RejectsADirectoryThatOthersCanWriteAndASymbolicLink) {
  const test::TempDirectory temp;
  std::filesystem::create_directory(temp.file("open"));
  ::chmod(temp.file("open").c_str(), 0777);
  EXPECT_THAT(complaintOf([&] { Instance(temp.file("open"), "chat").createDirectory(); }),
              HasSubstr("only this user can write"));
  std::filesystem::create_directory(temp.file("real"));
  std::filesystem::create_directory_symlink(temp.file("real"), temp.file("link"));
  EXPECT_THAT(complaintOf([&] { Instance(temp.file("link"), "chat").createDirectory(); }),
              HasSubstr("only this user can write"));
}

TEST(Instance, OneProcessHoldsTheLockWithItsPid) {
  const test::TempDirectory temp;
  const Instance instance(temp.file("run"), "chat");
  EXPECT_EQ(instance.runningPid(), std::nullopt);
  instance.createDirectory();
  EXPECT_EQ(instance.runningPid(), std::nullopt);
  {
    const auto lock = instance.lock();
    ASSERT_TRUE(lock.has_value());
    EXPECT_EQ(instance.runningPid(), ::getpid());
    EXPECT_FALSE(instance.lock().has_value());
  }
  EXPECT_EQ(instance.runningPid(), std::nullopt);  // the file still exists
  EXPECT_TRUE(instance.lock().has_value());
}

TEST(Instance, LockForChildrenWaitsUntilTheLastChildHasEnded) {
  const test::TempDirectory temp;
  const Instance instance(temp.file("run"), "chat");
  instance.createDirectory();
  UniqueFd held = instance.lockForChildren();
  int news[2];
  ASSERT_EQ(::pipe(news), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // inherits the lock, and reports its end
    ::usleep(50'000);
    ::_exit(::write(news[1], "!", 1) == 1 ? 0 : 1);
  }
  held.reset();
  const UniqueFd mine = instance.lockForChildren();
  pollfd ready{.fd = news[0], .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 1);
  ::waitpid(child, nullptr, 0);
  ::close(news[0]);
  ::close(news[1]);
}

const Instance kChat("/run/x", "chat");

Role listeningOn(const std::string& host, std::uint16_t port, int count) {
  Role role{.kind = RoleKind::Worker, .name = "none", .count = count};
  role.listen = {{.label = "tcp://" + host + ":" + std::to_string(port),
                  .address = Address::ip(host, port).value()}};
  return role;
}

TEST(ListenSockets, AllSlotsListenOnTheOnePortThatTheKernelChose) {
  Role role = listeningOn("127.0.0.1", 0, 3);
  const ListenSockets sockets(role, kChat);
  const std::uint16_t port = role.listen[0].address.port();
  EXPECT_NE(port, 0);
  EXPECT_EQ(role.listen[0].label, "tcp://127.0.0.1:" + std::to_string(port));
  ASSERT_EQ(sockets.fds().size(), 3u);
  for (const auto& slot : sockets.fds()) EXPECT_EQ(localAddress(slot.at(0)).port(), port);
}

TEST(ListenSockets, APortInUseIsReportedWithARemedy) {
  for (const bool shared : {false, true}) {  // also one that others may share
    const auto foreign = listenOn(Address::ip("127.0.0.1", 0).value(), {.reusePort = shared});
    const std::uint16_t port = localAddress(foreign.value().get()).port();
    Role role = listeningOn("127.0.0.1", port, 2);
    EXPECT_EQ(
        complaintOf([&] { ListenSockets(role, kChat); }),
        "cannot listen on tcp://127.0.0.1:" + std::to_string(port) +
            ": address already in use (by a process that does not belong to instance 'chat' in "
            "/run/x: 'ss -ltnp' shows it)");
  }
}

TEST(ListenSockets, AUnixSocketIsSharedAndItsFileIsRemovedAtTheEnd) {
  const test::TempDirectory temp;
  const std::string path = temp.file("chat.sock");
  {
    Role role{.kind = RoleKind::Channel, .name = "none", .count = 2};
    role.listen = {
        {.label = "unix://" + path, .address = Address::unixPath(path).value(), .mode = 0600}};
    const ListenSockets sockets(role, kChat);
    ASSERT_EQ(sockets.fds().size(), 2u);
    EXPECT_NE(sockets.fds()[0], sockets.fds()[1]);
    struct stat found {};
    ASSERT_EQ(::stat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ListenSockets, AUnixSocketBelongsToTheConfiguredOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  const test::TempDirectory temp;
  const std::string path = temp.file("channel.sock");
  Role role{.kind = RoleKind::Channel, .name = "none", .count = 1};
  role.listen = {{.label = "unix://" + path,
                  .address = Address::unixPath(path).value(),
                  .owner = "nobody",
                  .mode = 0600}};
  const ListenSockets sockets(role, kChat);
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, ::getpwnam("nobody")->pw_uid);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST(ListenSockets, AUnixSocketBelongsToTheConfiguredGroup) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  const test::TempDirectory temp;
  const std::string path = temp.file("clients.sock");
  Role role{.kind = RoleKind::Worker, .name = "none", .count = 1};
  role.listen = {{.label = "unix://" + path,
                  .address = Address::unixPath(path).value(),
                  .group = "www-data",
                  .mode = 0660}};
  const ListenSockets sockets(role, kChat);
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, 0U);
  EXPECT_EQ(found.st_gid, ::getgrnam("www-data")->gr_gid);
  EXPECT_EQ(found.st_mode & 0777, 0660u);
}

TEST(ListenSockets, AnUnknownOwnerIsFoundBeforeTheStart) {
  Role role{.kind = RoleKind::Worker, .name = "none", .count = 1};
  role.listen = {{.label = "unix:///run/x", .address = Address::unixPath("/run/x").value()}};
  const auto complaint = [&] {
    try {
      checkProgram({.roles = {role}});
    } catch (const std::runtime_error& refused) {
      return std::string(refused.what());
    }
    return std::string();
  };
  EXPECT_EQ(complaint(), "");
  role.listen[0].owner = "no-such-user";
  EXPECT_EQ(complaint(), "cannot listen on unix:///run/x: no such user: 'no-such-user'");
  role.listen[0].owner = "";
  role.listen[0].group = "no-such-group";
  EXPECT_EQ(complaint(), "cannot listen on unix:///run/x: no such group: 'no-such-group'");
}

TEST(ListenSockets, RefuseClientsWorksInAllProcessesThatHoldTheSockets) {
  Role role = listeningOn("127.0.0.1", 0, 2);
  ListenSockets sockets(role, kChat);
  const UniqueFd heldElsewhere(::dup(sockets.fds()[0][0]));
  const auto connects = [&] {
    const UniqueFd client(::socket(AF_INET, SOCK_STREAM, 0));
    const Address& to = role.listen[0].address;
    return ::connect(client.get(), to.raw(), to.size()) == 0;
  };
  EXPECT_TRUE(connects());
  sockets.refuseClients();
  EXPECT_FALSE(connects());
}

TEST(ListenSockets, TheSecondAddressOfAHostGetsThePortOfTheFirst) {
  Role role = listeningOn("127.0.0.1", 0, 2);
  role.listen.push_back(
      {.label = "tcp://[::1]:0", .address = Address::ip("::1", 0).value(), .isSecond = true});
  const ListenSockets sockets(role, kChat);
  if (role.listen.size() == 1) GTEST_SKIP() << "no IPv6 here, and left out";
  EXPECT_EQ(role.listen[1].address.port(), role.listen[0].address.port());
  EXPECT_EQ(role.listen[1].label, "tcp://[::1]:" + std::to_string(role.listen[0].address.port()));
}

TEST(ListenSockets, ASecondAddressThatThisMachineLacksIsLeftOut) {
  Role role = listeningOn("127.0.0.1", 0, 1);
  role.listen.push_back({.label = "tcp://203.0.113.7:0",
                         .address = Address::ip("203.0.113.7", 0).value(),
                         .isSecond = true});
  const ListenSockets sockets(role, kChat);
  EXPECT_EQ(role.listen.size(), 1u);
  EXPECT_EQ(sockets.fds().at(0).size(), 1u);
}

TEST(ListenSockets, AnIpv4ListenerThatBlocksADualStackAddressIsReported) {
  const auto foreign = listenOn(Address::ip("0.0.0.0", 0).value());
  const std::uint16_t port = localAddress(foreign.value().get()).port();
  Role role = listeningOn("::", port, 1);
  if (!listenOn(Address::ip("::1", 0).value())) GTEST_SKIP() << "no IPv6 here";
  EXPECT_THAT(complaintOf([&] { ListenSockets(role, kChat); }), testing::HasSubstr("ipv6only"));
  role.listen[0].v6Only = true;
  EXPECT_EQ(complaintOf([&] { ListenSockets(role, kChat); }), "");
}

TEST(ListenSockets, AFileAtTheUnixSocketsPathIsReportedWithItsKind) {
  const test::TempDirectory temp;
  const auto complaintAt = [&](const char* name) {
    const std::string path = temp.file(name);
    Role role{.kind = RoleKind::Worker, .name = "none", .count = 1};
    role.listen = {{.label = "unix://" + path, .address = Address::unixPath(path).value()}};
    return complaintOf([&] { ListenSockets(role, kChat); });
  };
  std::ofstream(temp.file("regular")) << "data";
  std::filesystem::create_directory(temp.file("directory"));
  std::filesystem::create_symlink("nowhere", temp.file("link"));
  const auto live = listenOn(Address::unixPath(temp.file("live")).value());
  { const auto stale = listenOn(Address::unixPath(temp.file("stale")).value()); }
  EXPECT_THAT(complaintAt("regular"), testing::HasSubstr("not a socket"));
  EXPECT_THAT(complaintAt("directory"), testing::HasSubstr("directory"));
  EXPECT_THAT(complaintAt("link"), testing::HasSubstr("symbolic link"));
  EXPECT_THAT(complaintAt("live"), testing::HasSubstr("a server listens there"));
  EXPECT_EQ(complaintAt("stale"), "");
}

}  // namespace
}  // namespace stormo::process
