"""A stand-in for the whole of Azure and the enterprise in front of it, inside private network namespaces; see README.md."""
