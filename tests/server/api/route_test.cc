#include "server/api/route.h"

#include <gmock/gmock.h>

#include <utility>

namespace stormo::server::api {
namespace {

using Endpoint = Route::Endpoint;

TEST(ApiRoute, EachPathHasItsEndpoint) {
  const std::tuple<const char*, Endpoint, std::string> table[] = {
      {"/v1/batch", Endpoint::Batch, ""},
      {"/v1/groups", Endpoint::Groups, ""},
      {"/v1/groups/news", Endpoint::Group, "news"},
      {"/v1/groups/a%2Fb%20c", Endpoint::Group, "a/b c"},
      {"/v1/groups/a+b", Endpoint::Group, "a+b"},
      {"/v1/groups/history", Endpoint::Group, "history"},
      {"/v1/groups/news/history", Endpoint::GroupHistory, "news"},
      {"/v1/groups/news/clients", Endpoint::GroupClients, "news"},
      {"/v1/users", Endpoint::Users, ""},
      {"/v1/users/8", Endpoint::User, "8"},
      {"/v1/clients", Endpoint::Clients, ""},
      {"/v1/clients/c1", Endpoint::Client, "c1"},
      {"/v1/stats", Endpoint::Stats, ""},
      {"/v1/openapi.json", Endpoint::OpenApi, ""},
  };
  for (const auto& [path, endpoint, name] : table) {
    const auto found = routeOf(path);
    ASSERT_TRUE(std::holds_alternative<Route>(found)) << path;
    EXPECT_EQ(std::get<Route>(found).endpoint, endpoint) << path;
    EXPECT_EQ(std::get<Route>(found).name, name) << path;
  }
}

TEST(ApiRoute, CommandsNeedTheRightToPublishOrToControl) {
  for (const auto& [word, right] : {std::pair{"publish", Right::Publish},
                                    {"join", Right::Control},
                                    {"leave", Right::Control},
                                    {"disconnect", Right::Control},
                                    {"info", Right::Control},
                                    {"revoke", Right::Control}}) {
    const auto found = routeOf(std::string("/v1/") + word);
    ASSERT_TRUE(std::holds_alternative<Route>(found)) << word;
    EXPECT_TRUE(std::get<Route>(found).isPost()) << word;
    EXPECT_EQ(std::get<Route>(found).right(), right) << word;
  }
  EXPECT_EQ(std::get<Route>(routeOf("/v1/stats")).right(), Right::Read);
  EXPECT_EQ(std::get<Route>(routeOf("/v1/batch")).right(), std::nullopt);
}

TEST(ApiRoute, OtherPathsAreNotFound) {
  for (const char* path :
       {"/", "/v1", "/v1/", "/v2/stats", "/v1/publish/", "/v1/fly", "/v1/groups/", "/v1/groups/a/b",
        "/v1/users/a/history", "/v1/groups/a/history/", ""}) {
    const auto found = routeOf(path);
    ASSERT_TRUE(std::holds_alternative<Problem>(found)) << path;
    EXPECT_EQ(std::get<Problem>(found).status, 404) << path;
  }
}

TEST(ApiRoute, ANameThatNoGroupCanHaveIsRefused) {
  for (const std::string& name : {std::string("%"), std::string("%4"), std::string("%zz"),
                                  std::string("%00u"), std::string(256, 'x')}) {
    const auto found = routeOf("/v1/groups/" + name);
    ASSERT_TRUE(std::holds_alternative<Problem>(found)) << name;
    EXPECT_EQ(std::get<Problem>(found).status, 400) << name;
  }
}

}  // namespace
}  // namespace stormo::server::api
