# `cpack`: the Debian packages stormo and libstormo-dev, from the components `server` and `development`.
# Only the preset `package` includes this file, because it installs into /etc.
set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
set(release 1)

file(STRINGS ${debian}/changelog newest LIMIT_COUNT 1)
if(NOT newest MATCHES "^stormo \\(${PROJECT_VERSION}-${release}\\) ")
  message(FATAL_ERROR "packaging/debian/changelog does not begin with ${PROJECT_VERSION}-${release}: ${newest}")
endif()

# compressed(file name): file in the build folder as name.gz, the same bytes each time.
function(compressed file name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${PROJECT_BINARY_DIR}/texts/${name}.gz
    COMMAND_ERROR_IS_FATAL ANY)
endfunction()
compressed(${debian}/changelog changelog.Debian)
compressed(${PROJECT_SOURCE_DIR}/CHANGELOG.md changelog)

set(texts ${PROJECT_BINARY_DIR}/texts)
install(FILES ${texts}/stormo.toml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/stormo COMPONENT server)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/stormo.logrotate RENAME stormo
  DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/logrotate.d COMPONENT server)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/stormo.service DESTINATION /lib/systemd/system COMPONENT server)
file(GLOB pages ${PROJECT_SOURCE_DIR}/docs/*.md)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${pages} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/stormo
  COMPONENT server)
foreach(pair server:stormo development:libstormo-dev)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 component)
  list(GET pair 1 package)
  install(FILES ${debian}/copyright ${texts}/changelog.Debian.gz ${texts}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
endforeach()

# CPack strips programs, but not static libraries.
install(CODE "execute_process(COMMAND ${CMAKE_STRIP} --strip-debug --enable-deterministic-archives
  \"\$ENV{DESTDIR}${CMAKE_INSTALL_FULL_LIBDIR}/libstormo.a\" COMMAND_ERROR_IS_FATAL ANY)" COMPONENT development)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "The Stormo authors")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_SET_DESTDIR ON)  # as some files are outside of the prefix
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL server development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${release})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The Stormo maintainers <maintainers@users.noreply.r-seed-04b5162f.example>")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_SERVER_PACKAGE_NAME stormo)
set(CPACK_DEBIAN_SERVER_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVER_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_SERVER_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS "libnats3.4, logrotate")
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  ${debian}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_DEBIAN_SERVER_DESCRIPTION "real-time group messaging server
Clients connect by WebSocket, join groups, and send to groups. Every member
of a group receives the same messages, in the same order, exactly once, also
when a process of the server is killed.
.
This package has the server as a systemd service, which listens on loopback
until /etc/stormo/stormo.toml says otherwise, and a load generator.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libstormo-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libfmt-dev, libsimdjson-dev, libssl-dev, zlib1g-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "framework for real-time group messaging servers (development files)
Workers, connections, protocols, timers, groups, and a Channel that joins the
processes: a C++20 program of 25 lines is a server of several processes, with
commands to start, stop, reload and inspect it.
.
This package has the headers, the static library, and the files for CMake and
pkg-config.")

include(CPack)
