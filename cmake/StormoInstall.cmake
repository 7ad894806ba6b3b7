# `cmake --install`: the component `development` has headers, libstormo.a, and the files for CMake and
# pkg-config; the component `server` has the program, its man page, the completions of shells, and the PHP library.
include(CMakePackageConfigHelpers)

install(TARGETS stormo_cli COMPONENT server)
install(FILES ${PROJECT_BINARY_DIR}/texts/stormo.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT server)
install(FILES ${PROJECT_BINARY_DIR}/texts/bash-completion COMPONENT server
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME stormo)
install(FILES ${PROJECT_BINARY_DIR}/texts/zsh-completion COMPONENT server
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _stormo)
install(FILES ${PROJECT_SOURCE_DIR}/clients/php/Stormo.php DESTINATION ${CMAKE_INSTALL_DATADIR}/stormo/php
  COMPONENT server)

install(TARGETS stormo EXPORT stormoTargets COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ TYPE INCLUDE COMPONENT development)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/stormo)
install(EXPORT stormoTargets NAMESPACE stormo:: DESTINATION ${package_dir} COMPONENT development)
configure_package_config_file(cmake/stormoConfig.cmake.in stormoConfig.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break compatibility.
write_basic_package_version_file(stormoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/stormoConfig.cmake ${PROJECT_BINARY_DIR}/stormoConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)

file(RELATIVE_PATH prefix_from_pc /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/stormo.pc.in stormo.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/stormo.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
