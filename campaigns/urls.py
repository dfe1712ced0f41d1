"""Pages of campaigns that are of no single row's, below the console's."""

from django.contrib import admin
from django.urls import path

from campaigns.backtests import views as back_tests
from campaigns.boards import views as boards
from campaigns.whys import views as whys

app_name = "campaigns"

urlpatterns = [
    path("board/", admin.site.admin_view(boards.board), name="board"),
    path("board/lines/", admin.site.admin_view(boards.board_lines), name="board_lines"),
    path("month/", admin.site.admin_view(boards.month), name="month"),
    path("back-tests/<int:campaign_id>/", admin.site.admin_view(back_tests.back_tests), name="back_tests"),
    path("back-tests/<int:campaign_id>/results/", admin.site.admin_view(back_tests.results), name="back_test_results"),
    path("why/", admin.site.admin_view(whys.find), name="find"),
    path("why/<uuid:public_id>/", admin.site.admin_view(whys.whys), name="whys"),
    path("why/<uuid:public_id>/lines/", admin.site.admin_view(whys.lines), name="why_lines"),
    path("why/<uuid:public_id>/<int:campaign_id>/", admin.site.admin_view(whys.one), name="why"),
]
