"""A stand-in for the whole of Azure, and for the enterprise in front of it, inside private network namespaces.  README.md says how to use it."""
