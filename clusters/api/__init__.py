"""The read API of clusters, organisations, programmes, portfolios and regions.

Names, descriptions and examples of the fields are the documentation: config/api/requests.py makes
the description and its page from them.
"""

from clusters.api import clusters, codes, organisations

routers = (clusters.router, organisations.router, organisations.programmes_router, codes.router)
