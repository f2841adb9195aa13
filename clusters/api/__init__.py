"""The read API of clusters, organisations, programmes, portfolios and regions.

Names, descriptions and examples of the fields are the documentation: config/api/requests.py makes
the description and its page from them.
"""

from clusters.api import clusters, codes, organisations, programmes

routers = (clusters.router, organisations.router, programmes.router, codes.router)
