# Installs what is not built: manual pages, the configuration with every default, the examples and the licence.
foreach(section IN ITEMS 5 8)
  install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} FILES_MATCHING PATTERN "*.${section}")
endforeach()
install(FILES conf/sluice.conf DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES LICENSE README.md CHANGELOG.md docs/contract.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
