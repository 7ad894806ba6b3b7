#include <atomic>
#include <future>
#include <memory>

#include "net/connector_fixture.h"
#include "net/persistent_connection.h"

namespace stormo::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A host name whose look-up ends when the test ends it.
class OutgoingLookupTest : public ConnectorTest {
 protected:
  OutgoingLookupTest()
      : codec(Protocol::text()),
        outgoing(parseSocketUrl("text://db.example:" + std::to_string(port())), codec) {
    outgoing.retryFirst = 1ms;
    outgoing.onConnect = [this](Connection&) { reported.push_back("connect"); };
    outgoing.onError = [this](const Error& error) { reported.push_back(error.step); };
  }

  PackageCodec codec;
  PersistentConnection outgoing;
};

TEST_F(OutgoingLookupTest, ALookupDoesNotBlockTheLoop) {
  std::promise<NameLookup::Outcome> dns;
  const std::shared_future answer = dns.get_future().share();
  outgoing.resolve = [answer](const std::string&, std::uint16_t) { return answer.get(); };
  outgoing.connect();
  outgoing.connect();
  settle();
  EXPECT_EQ(outgoing.connection(), nullptr);
  dns.set_value(std::vector{*Address::ip("127.0.0.1", port())});
  ASSERT_TRUE(turnUntil([&] { return !reported.empty(); }));
  EXPECT_THAT(reported, ElementsAre("connect"));
}

TEST_F(OutgoingLookupTest, AllAddressesOfAHostNameAreTried) {
  const UniqueFd nobody = std::move(*listenOn(*Address::ip("127.0.0.2", 0)));
  const Address refuses = localAddress(nobody.get());
  ::shutdown(nobody.get(), SHUT_RDWR);
  outgoing.resolve = [&](const std::string&, std::uint16_t) {
    return NameLookup::Outcome(std::vector{refuses, refuses, *Address::ip("127.0.0.1", port())});
  };
  outgoing.connect();
  ASSERT_TRUE(turnUntil([&] { return !reported.empty(); }));
  EXPECT_THAT(reported, ElementsAre("connect"));
}

TEST_F(OutgoingLookupTest, AFailedLookupIsAnErrorAndRetried) {
  std::atomic<int> attempts = 0;
  outgoing.resolve = [&](const std::string&, std::uint16_t) -> NameLookup::Outcome {
    if (++attempts < 3) {
      return Error{std::make_error_code(std::errc::host_unreachable), "getaddrinfo"};
    }
    return std::vector{*Address::ip("127.0.0.1", port())};
  };
  outgoing.connect();
  ASSERT_TRUE(turnUntil([&] { return reported.size() == 3; }));
  EXPECT_THAT(reported, ElementsAre("getaddrinfo", "getaddrinfo", "connect"));
}

TEST_F(OutgoingLookupTest, CloseDuringALookupCallsNoHandler) {
  std::promise<NameLookup::Outcome> dns;
  const std::shared_future answer = dns.get_future().share();
  // The thread may outlive this test: it owns all that it uses.
  const auto asked = std::make_shared<std::promise<void>>();
  outgoing.resolve = [answer, asked](const std::string&, std::uint16_t) {
    asked->set_value();
    return answer.get();
  };
  outgoing.connect();
  asked->get_future().get();
  outgoing.close();
  dns.set_value(std::vector{*Address::ip("127.0.0.1", port())});
  settle();
  EXPECT_THAT(reported, IsEmpty());
  EXPECT_THAT(events, IsEmpty());
}

}  // namespace
}  // namespace stormo::net
